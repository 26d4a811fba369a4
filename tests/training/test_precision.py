import logging
from collections import Counter

import pytest
import torch

from ssd300.model import ssd300_efficientnet_lite0
from ssd300.system.device import dtype_name
from ssd300.training import precision
from ssd300.training.precision import choose_precision

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))
MODEL = ssd300_efficientnet_lite0(2)


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
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: supported)
    seconds = {torch.float32: 1.0, torch.bfloat16: 0.8 if pays else 0.99}
    monkeypatch.setattr(precision, "step_seconds", lambda model, dtype: seconds[dtype])
    assert dtype_name(choose_precision(amp, on, MODEL)) == chosen


@pytest.mark.parametrize(
    ("bf16", "float32", "chosen", "trials"),
    [
        ([9, 0.2], [9, 0.3], "bfloat16", 2), ([9, 0.3], [9, 0.2], "float32", 2),
        ([9, 0.4, 0.4, 0.2], [9, 0.4, 0.4, 0.3], "bfloat16", 4),  # other work has taken time from the second trial
        ([9, 0.3], [9, 0.3], "float32", 6), ([9, 0.27], [9, 0.3], "bfloat16", 6), ([9, 0.29], [9, 0.3], "float32", 6),
    ],
)  # fmt: skip
def test_trials_go_on_until_one_precision_is_clearly_faster(monkeypatch, bf16, float32, chosen, trials):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    left, count = {torch.bfloat16: iter(bf16), torch.float32: iter(float32)}, Counter()

    def seconds(model, dtype):
        count[dtype] += 1
        return next(left[dtype], {torch.bfloat16: bf16, torch.float32: float32}[dtype][-1])

    monkeypatch.setattr(precision, "step_seconds", seconds)
    assert dtype_name(choose_precision("auto", CPU, MODEL)) == chosen
    assert count == {torch.bfloat16: trials, torch.float32: trials}


@pytest.mark.parametrize(("seconds", "lines"), [(0.5, 1), (1.5, 2)])
def test_trials_that_take_long_are_announced(monkeypatch, caplog, seconds, lines):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precision, "step_seconds", lambda model, dtype: seconds)
    with caplog.at_level(logging.INFO):
        choose_precision("auto", CPU, MODEL)
    assert len(caplog.messages) == lines
    assert "timing steps" in caplog.messages[0] or lines == 1


@pytest.mark.slow
def test_timing_a_step_changes_neither_the_model_nor_the_random_numbers(monkeypatch, caplog):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    before = {name: tensor.clone() for name, tensor in MODEL.state_dict().items()}
    random = torch.get_rng_state()
    with caplog.at_level(logging.INFO):
        choose_precision("auto", CPU, MODEL)
    assert "a step of 2 images takes" in caplog.text
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(tensor, before[name]) for name, tensor in MODEL.state_dict().items())
    assert all(parameter.grad is None for parameter in MODEL.parameters())
