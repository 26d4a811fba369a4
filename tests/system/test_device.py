import pytest
import torch

from ssd300.errors import UsageError
from ssd300.system.device import choose_device

CPU = torch.device("cpu")


def test_a_device_that_this_machine_does_not_have_is_refused():
    with pytest.raises(UsageError, match="--device auto"):
        choose_device("nonsense")


def test_auto_prefers_cuda_then_mps_then_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == CPU
