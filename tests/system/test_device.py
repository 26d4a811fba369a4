import pytest
import torch

from ssd300.errors import UsageError
from ssd300.system import device
from ssd300.system.device import choose_device, choose_precision, dtype_name

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))


@pytest.mark.parametrize(
    ("amp", "on", "supported", "pays", "chosen"),
    [
        ("off", CUDA, True, True, "float32"), ("bf16", CPU, False, False, "bfloat16"),
        ("fp16", CPU, False, False, "float16"),
        ("auto", CUDA, True, False, "bfloat16"), ("auto", CUDA, False, True, "float16"),
        ("auto", CPU, True, True, "bfloat16"), ("auto", CPU, True, False, "float32"),
        ("auto", CPU, False, True, "float32"),
        ("auto", MPS, True, True, "float32"),
    ],
)  # fmt: skip
def test_the_precision_of_each_device(monkeypatch, amp, on, supported, pays, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr(device, "cpu_has_bf16", lambda: supported)
    monkeypatch.setattr(device, "_bf16_pays_on_cpu", lambda: pays)
    assert dtype_name(choose_precision(amp, on)) == chosen


def test_a_device_that_this_machine_does_not_have_is_refused():
    with pytest.raises(UsageError, match="--device auto"):
        choose_device("nonsense")


def test_auto_prefers_cuda_then_mps_then_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == CPU
