import pytest
import torch

from run_weights import run_weights
from ssd300.errors import RunError
from ssd300.run_layout import STATE
from ssd300.training.loop import train


def test_a_loss_that_is_not_finite_stops_and_names_the_images(config, data, tmp_path):
    with pytest.raises(RunError, match=r"step \d+, images p\d \(\d boxes\), p\d \(\d boxes\)"):
        train(data, config(tmp_path / "run", lr=1e30, schedule="multistep", warmup_steps=0, grad_clip=None))


@pytest.mark.slow
def test_all_choices_beyond_the_paper_work_together(config, data, tmp_path):
    choices = {
        "matching": "atss", "weighting": "pisa", "box_loss": "giou", "box_weight": 2.0, "backbone_lr": 0.5,
        "sampling": "balanced", "mosaic": 1.0, "mixup": 1.0, "ema": True, "ema_ramp": 10,
    }  # fmt: skip
    assert train(data, config(tmp_path / "run", steps=2, **choices))["steps"] == 2
    assert all(torch.isfinite(tensor).all() for tensor in run_weights(tmp_path / "run").values())


@pytest.mark.slow
def test_float16_scales_gradients_and_skips_updates_that_overflow(config, data, tmp_path):
    train(data, config(tmp_path / "run", steps=2, amp="fp16"), stop_after=1)
    state = torch.load(str(tmp_path / "run" / STATE), weights_only=True)
    assert state["progress"]["precision"] == torch.float16
    assert state["scaler"]["scale"] > 0
    assert train(data, config(tmp_path / "run", steps=2, amp="fp16"), resume=True)["precision"] == "float16"
    assert all(torch.isfinite(tensor).all() for tensor in run_weights(tmp_path / "run").values())
