import json
import subprocess
import sys

import pytest
import torch

from ssd300.data import load_dataset
from ssd300.detection.detector import Detector
from ssd300.errors import RunError, UsageError
from ssd300.model import ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.model.default_boxes import PYTORCH_SSD300
from ssd300.model.ssd import NONE
from ssd300.training.config import TrainConfig
from ssd300.training.loop import train
from ssd300.training.optimizer import make_optimizer, set_learning_rate
from ssd300.training.presets import PRESETS
from ssd300.weights import load_weights


def test_resume_equals_an_uninterrupted_run_bit_for_bit(config, coloured, tmp_path):
    data = load_dataset(coloured)
    train(data, config(tmp_path / "whole"))
    train(data, config(tmp_path / "parts"), stop_after=3)
    train(data, config(tmp_path / "parts", workers=1, cache="disk"), resume=True)
    whole, _ = load_weights(tmp_path / "whole")
    parts, _ = load_weights(tmp_path / "parts")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, parts.state_dict()[name]), name


def test_the_run_folder_and_detection_from_it(config, coloured, tmp_path):
    out = tmp_path / "run"
    test = load_dataset(coloured, purpose="test")
    summary = train(load_dataset(coloured), config(out, steps=1), validation=test)
    assert summary["metric"] == "voc07_11pt@0.5"
    for name in ("config.yaml", "env.json", "data.json", "metrics.jsonl", "weights/best.safetensors", "state/last.pt"):
        assert (out / name).is_file(), name
    assert json.loads((out / "summary.json").read_text())["images_seen"] == 2
    result = Detector.load(out)(coloured / "JPEGImages/p0.jpg", min_score=0.0, top_k=5)
    assert len(result) == 5
    assert result.draw().size == (160, 120)


@pytest.mark.parametrize("change", [{"lr": 1.0}, {"batch_size": 3}])
def test_other_options_on_resume_are_refused_with_the_difference(config, coloured, tmp_path, change):
    data = load_dataset(coloured)
    train(data, config(tmp_path / "run"), stop_after=1)
    (name,) = change
    with pytest.raises(UsageError, match=f"{name}: .* -> {change[name]}"):
        train(data, config(tmp_path / "run", **change), resume=True)


def test_a_loss_that_is_not_finite_stops_and_names_the_images(config, coloured, tmp_path):
    with pytest.raises(RunError, match=r"step \d+, images p\d \(\d boxes\), p\d \(\d boxes\)"):
        train(
            load_dataset(coloured),
            config(tmp_path / "run", lr=1e30, schedule="multistep", warmup_steps=0, grad_clip=None),
        )


def test_stopping_after_no_step_is_refused_before_anything_is_written(config, data, tmp_path):
    with pytest.raises(UsageError, match="stop_after is 0"):
        train(data, config(tmp_path / "run"), stop_after=0)
    assert not (tmp_path / "run").exists()


def test_nothing_to_resume_from(config, coloured, tmp_path):
    with pytest.raises(RunError, match="no state to resume from"):
        train(load_dataset(coloured), config(tmp_path / "run"), resume=True)


def test_biases_learn_twice_as_fast_and_do_not_decay():
    optimizer = make_optimizer(ssd300_vgg16(2), momentum=0.9, weight_decay=5e-4)
    set_learning_rate(optimizer, 1e-3)
    by_decay = {group["weight_decay"]: group for group in optimizer.param_groups}
    assert by_decay[5e-4]["lr"] == 1e-3
    assert by_decay[0.0]["lr"] == 2e-3
    assert all(parameter.ndim == 1 for parameter in by_decay[0.0]["params"])
    light = make_optimizer(ssd300_efficientnet_lite0(2), momentum=0.9, weight_decay=5e-4)
    assert sum(len(group["params"]) for group in light.param_groups) == len(
        list(ssd300_efficientnet_lite0(2).parameters())
    )


def test_the_papers_schedule(tmp_path):
    paper = PRESETS["paper"](tmp_path)
    rates = [paper.learning_rate(step) for step in (0, 79_999, 80_000, 99_999, 100_000)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])
    assert (
        paper.steps * paper.batch_size
        == PRESETS["pytorch-ssd300"](tmp_path).steps * PRESETS["pytorch-ssd300"](tmp_path).batch_size
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("steps", 0), ("lr", 0.0), ("lr", float("nan")), ("batch_size", 0), ("grad_clip", -1.0), ("lr_drop", (5, 3))],
)
def test_bad_values_name_the_field(tmp_path, field, value):
    with pytest.raises(ValueError, match=f"{field} is"):
        TrainConfig(out=tmp_path, **{field: value})


def test_a_run_that_ends_before_its_first_evaluation_has_weights_and_goes_on(config, coloured, tmp_path):
    data, test = load_dataset(coloured), load_dataset(coloured, purpose="test")
    stopped = train(data, config(tmp_path / "run"), validation=test, stop_after=1)
    assert (stopped["map"], stopped["steps"]) == (None, 1)
    assert len(Detector.load(tmp_path / "run")(coloured / "JPEGImages/p0.jpg", min_score=0.0, top_k=2)) == 2
    ended = train(data, config(tmp_path / "run"), validation=test, resume=True)
    assert (ended["steps"], ended["images"]) == (4, 1)
    assert ended["per_class"]["red"]["objects"] == 1
    assert train(data, config(tmp_path / "run"), validation=test, resume=True) == ended  # nothing is left to do


def test_the_seeds_rules_are_taken(config, coloured, tmp_path):
    seeds = PRESETS["pytorch-ssd300"](tmp_path)
    chosen = {name: getattr(seeds, name) for name in ("default_boxes", "rules", "normalization", "decay_biases")}
    train(load_dataset(coloured), config(tmp_path / "run", steps=1, **chosen))
    _, card = load_weights(tmp_path / "run")
    assert card.settings == PYTORCH_SSD300
    assert card.normalization == NONE


def test_a_word_that_is_no_choice_names_the_choices():
    code = "from ssd300.training.config import TrainConfig; TrainConfig(out='run', rules='mine')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # here beartype would be first
    assert "ValueError: rules is 'mine'; it must be one of paper, pytorch-ssd300" in ended.stderr
