import subprocess
import sys

import pytest

from ssd300.training.config import TrainConfig
from ssd300.training.presets import PRESETS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0), ("lr", 0.0), ("lr", float("nan")), ("batch_size", 0), ("grad_clip", -1.0), ("lr_drop", (5, 3)),
        ("accumulate", 33), ("ema_decay", 1.0), ("workers", -1), ("seed", -1), ("box_weight", 0.0),
        ("backbone_lr", 0.0), ("ema_ramp", -1),
    ],
)  # fmt: skip
def test_bad_values_name_the_field(tmp_path, field, value):
    with pytest.raises(ValueError, match=f"{field} is"):
        TrainConfig(out=tmp_path, **{field: value})


def test_a_word_that_is_no_choice_names_the_choices():
    code = "from ssd300.training.config import TrainConfig; TrainConfig(out='run', rules='mine')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # here beartype would be first
    assert "ValueError: rules is mine; it must be one of paper, pytorch-ssd300" in ended.stderr


@pytest.mark.parametrize(("field", "value"), [("box_loss", "giou"), ("matching", "atss"), ("weighting", "pisa")])
def test_another_codes_rules_take_no_choice_that_replaces_a_part_of_them(tmp_path, field, value):
    assert getattr(TrainConfig(out=tmp_path, **{field: value}), field) == value
    with pytest.raises(ValueError, match=f"{field} is {value}; with rules pytorch-ssd300 it must be "):
        PRESETS["pytorch-ssd300"](tmp_path, **{field: value})


@pytest.mark.parametrize(
    ("preset", "init", "reason"),
    [("paper", "vgg16", "ssd300_vgg16 has no batch"), ("light", "none", "with init none there are no means")],
)
def test_norms_are_frozen_only_where_there_is_something_to_keep(tmp_path, preset, init, reason):
    with pytest.raises(ValueError, match=f"freeze_norms is True; {reason}"):
        PRESETS[preset](tmp_path, init=init, freeze_norms=True)
    assert PRESETS["light"](tmp_path, freeze_norms=True).freeze_norms


@pytest.mark.parametrize("model", ["ssd300_vgg16", "ssd512_vgg16"])
def test_heads_of_ssdlite_need_batch_normalization(tmp_path, model):
    with pytest.raises(ValueError, match=f"heads is ssdlite; with {model} it must be ssd"):
        TrainConfig(out=tmp_path, model=model, heads="ssdlite")
    assert PRESETS["light"](tmp_path, model="ssd_lite0_fpn", heads="ssdlite").heads == "ssdlite"


def test_a_frozen_backbone_has_no_rate_of_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"backbone_lr is 0\.1; with freeze backbone it must be 1"):
        PRESETS["light"](tmp_path, backbone_lr=0.1, freeze="backbone")
    assert PRESETS["light"](tmp_path, backbone_lr=0.1, freeze="stages:2").backbone_lr == 0.1


@pytest.mark.parametrize("field", ["mosaic", "mixup"])
def test_shares_of_mixed_images_are_checked_and_end_with_three_quarters_of_the_steps(tmp_path, field):
    for values, reason in (({field: 1.5}, "must be 0 to 1"), ({field: 0.5, "augment": False}, "without augment")):
        with pytest.raises(ValueError, match=f"{field} is .*{reason}"):
            TrainConfig(out=tmp_path, **values)
    assert TrainConfig(out=tmp_path, steps=10, **{field: 1.0}).mixing_steps == 7


def test_the_schedule_is_described_in_images(tmp_path):
    assert PRESETS["paper"](tmp_path).describe_schedule(16_551) == (
        "3,840,000 images (232 epochs) in 120,000 steps of 32; rate 0.001, times 0.1 after 2,560,000 and 3,200,000 "
        "images"
    )


def test_a_rate_that_is_not_reached_is_not_called_reached(tmp_path):
    text = TrainConfig(out=tmp_path, steps=6, batch_size=4, warmup_steps=10).describe_schedule(24)
    assert "not reached: it would be after 40 images" in text


def test_the_schedule_of_a_run_whose_batch_size_changed_is_described_in_steps(tmp_path):
    config = TrainConfig(out=tmp_path, steps=100, batch_size=4, lr=0.5, lr_drop=(80,), warmup_steps=10)
    assert config.describe_schedule(100, step=50, images_seen=400) == (
        "600 images (6 epochs) in 100 steps of 4 from step 51 on; rate 0.5, reached after 10 steps, times 0.1 "
        "after 80 steps"
    )
    assert config.describe_schedule(100, step=50, images_seen=200) == config.describe_schedule(100)


def test_a_drop_is_after_that_many_steps(tmp_path):
    config = TrainConfig(out=tmp_path, steps=9, lr=1.0, lr_drop=(2, 4), lr_drop_factor=0.5)
    assert [config.learning_rate(step) for step in range(6)] == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_warm_up_rises_in_a_line_and_the_cosine_falls_towards_0(tmp_path):
    config = TrainConfig(out=tmp_path, steps=8, lr=1.0, lr_drop=(), warmup_steps=4)
    assert [config.learning_rate(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    config = TrainConfig(out=tmp_path, steps=8, lr=1.0, schedule="cosine")
    rates = [config.learning_rate(step) for step in range(9)]
    assert rates[::4] == pytest.approx([1.0, 0.5, 0.0])
    assert rates == sorted(rates, reverse=True)


def test_epochs_are_whole_steps_rounded_up(tmp_path):
    config = TrainConfig(out=tmp_path, batch_size=3)
    assert [config.for_epochs(epochs, 4).steps for epochs in (0.1, 0.75, 0.9, 3.0)] == [1, 1, 2, 4]
