import json
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from run_weights import LAST, LAST_AVERAGED, assert_equal_weights
from ssd300.data import load_dataset
from ssd300.data.loader import training_batches
from ssd300.errors import DataError, RunError, UsageError
from ssd300.model import SSD
from ssd300.model.default_boxes import PAPER
from ssd300.run_layout import PREVIOUS_STATE, STATE
from ssd300.training import trainer, validation
from ssd300.training.loop import train
from ssd300.training.optimizer import make_optimizer
from ssd300.training.presets import light
from ssd300.training.state import MAY_CHANGE, TrainState, describe
from ssd300.weights import read_card

KILLS = 100


def test_resume_equals_an_uninterrupted_run_bit_for_bit(config, data, tmp_path):
    train(data, config(tmp_path / "whole"))
    train(data, config(tmp_path / "parts"), stop_after=3)
    train(data, config(tmp_path / "parts", workers=1, cache="disk"), resume=True)
    assert_equal_weights(tmp_path / "whole", tmp_path / "parts")
    streams = [torch.load(str(tmp_path / name / STATE), weights_only=True)["random"] for name in ("whole", "parts")]
    assert torch.equal(*streams), "the resumed run has drawn as many random numbers as the other one"


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {
            "matching": "atss", "weighting": "pisa", "box_loss": "ciou", "backbone_lr": 0.5, "ema_ramp": 10,
            "sampling": "balanced", "mosaic": 0.5, "mixup": 0.5,
        },
    ],
)  # fmt: skip
def test_40_steps_are_25_and_15_bit_for_bit_in_the_middle_of_an_epoch_and_with_two_workers(
    config, data, tmp_path, recipe
):
    """An epoch is 4 images and a batch 3, so step 25 ends within one; the average of the weights is part of it."""
    options = {"steps": 40, "batch_size": 3, "ema": True, "lr_drop": (30,), "schedule": "multistep", **recipe}
    train(data, config(tmp_path / "whole", **options))
    train(data, config(tmp_path / "parts", **options, workers=2), stop_after=25)
    train(data, config(tmp_path / "parts", **options, workers=2), resume=True)
    for name in (LAST, LAST_AVERAGED):
        assert_equal_weights(tmp_path / "whole", tmp_path / "parts", name)


@pytest.mark.slow
def test_a_run_that_is_killed_100_times_loses_nothing(coloured, tmp_path):
    """Each state loads, no saved step is lost, and the weights are those of a run without kills."""
    script = Path(__file__).with_name("killed_runs.py")
    ended = subprocess.run(
        [sys.executable, script, coloured, tmp_path / "run", str(KILLS)], capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > KILLS // 4, "the lives were too short to train in"
    assert not list((tmp_path / "run").rglob(".*.partial")), "the last life removed what the killed ones left"
    assert_equal_weights(tmp_path / "run", tmp_path / "whole")


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone"])
@pytest.mark.slow
def test_a_damaged_state_is_noticed_and_the_previous_one_is_resumed(config, data, tmp_path, caplog, damage):
    train(data, config(tmp_path / "whole", steps=3))
    train(data, config(tmp_path / "run", steps=3, save_every=1), stop_after=2)
    state = tmp_path / "run" / STATE
    content = bytearray(state.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage == "gone":
        state.unlink()
    else:
        state.write_bytes({"flipped": content, "cut": content[: len(content) // 2], "empty": b""}[damage])
    train(data, config(tmp_path / "run", steps=3, save_every=1), resume=True)
    assert "resumed after step 1" in (tmp_path / "run/train.log").read_text()
    assert ("cannot be read" in caplog.text) == (damage != "gone")
    assert_equal_weights(tmp_path / "whole", tmp_path / "run")


@pytest.mark.slow
def test_without_any_whole_state_the_error_says_so(config, data, tmp_path):
    train(data, config(tmp_path / "run", save_every=1), stop_after=2)
    for name in (STATE, PREVIOUS_STATE):
        (tmp_path / "run" / name).write_bytes(b"PK nonsense")
    with pytest.raises(RunError, match="the state cannot be read"):
        train(data, config(tmp_path / "run"), resume=True)


def test_nothing_to_resume_from(config, data, tmp_path):
    with pytest.raises(RunError, match="no state to resume from"):
        train(data, config(tmp_path / "run"), resume=True)


@pytest.mark.parametrize("change", [{"lr": 1.0}, {"batch_size": 3}])
@pytest.mark.slow
def test_other_options_on_resume_are_refused_with_the_difference(config, data, tmp_path, change):
    train(data, config(tmp_path / "run"), stop_after=1)
    (name,) = change
    with pytest.raises(UsageError, match=f"{name}: .* -> {change[name]}"):
        train(data, config(tmp_path / "run", **change), resume=True)


@pytest.mark.slow
def test_options_that_differ_are_used_with_override(config, data, tmp_path, caplog):
    train(data, config(tmp_path / "run"), stop_after=1)
    with pytest.raises(UsageError, match=r"lr: 0.01 -> 0.5.*--override"):
        train(data, config(tmp_path / "run", lr=0.5), resume=True)
    summary = train(data, config(tmp_path / "run", lr=0.5, steps=2, ema=True), resume=True, override=True)
    assert summary["steps"] == 2
    assert "changed (--override): lr: 0.01 -> 0.5" in caplog.text
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text())["lr"] == 0.5
    with pytest.raises(UsageError, match=r"cannot change within a run: model: .*start a new run[.]"):
        train(data, config(tmp_path / "run", model="ssd300_vgg16"), resume=True, override=True)
    with pytest.raises(UsageError, match="the data is not what the run began with"):
        train(replace(data, annotations=data.annotations[:2]), config(tmp_path / "run"), resume=True, override=True)


def test_images_are_counted_and_go_on_where_they_were_with_another_batch_size(config, data, tmp_path, monkeypatch):
    starts = []
    monkeypatch.setattr(
        trainer, "training_batches", lambda *args, **kwargs: starts.append(kwargs) or training_batches(*args, **kwargs)
    )
    assert train(data, config(tmp_path / "run", steps=8, mosaic=0.5), stop_after=3)["images_seen"] == 6
    options = {"batch_size": 1, "steps": 8, "mosaic": 0.5}
    summary = train(data, config(tmp_path / "run", **options), resume=True, override=True)
    assert (summary["steps"], summary["images_seen"]) == (8, 6 + 5)
    assert json.loads((tmp_path / "run/summary.json").read_text())["images_seen"] == 11
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == [2, 4, 6, 7, 8, 9, 10, 11]
    assert [(start["images_seen"], start["mixing"].images) for start in starts] == [(0, 12), (6, 6 + 3)]
    assert (
        "schedule: 11 images (2.75 epochs) in 8 steps of 1 from step 4 on" in (tmp_path / "run/train.log").read_text()
    )


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 3])
def test_deleted_weights_are_said_and_there_again_after_a_resume(config, data, held_out, tmp_path, caplog, steps):
    options = {"steps": 3, "eval_every": 2}
    train(data, config(tmp_path / "run", **options), validation=held_out, stop_after=steps)
    weights = tmp_path / "run/weights"
    shutil.rmtree(weights)
    after = train(data, config(tmp_path / "run", **options), validation=held_out, resume=True)
    assert "best.safetensors is gone: the best weights are lost" in caplog.text
    assert (after["steps"], after["images"]) == (3, 1)
    assert {path.name for path in weights.iterdir()} == {"best.safetensors", "last.safetensors"}
    caplog.clear()
    train(data, config(tmp_path / "run", **options), validation=held_out, resume=True)
    assert "is gone" not in caplog.text


@pytest.mark.slow
def test_deleted_weights_of_a_run_without_evaluation_are_there_again_after_a_resume(config, data, tmp_path):
    train(data, config(tmp_path / "run", steps=1))
    shutil.rmtree(tmp_path / "run/weights")
    train(data, config(tmp_path / "run", steps=1), resume=True)
    assert {path.name for path in (tmp_path / "run/weights").iterdir()} == {"best.safetensors", "last.safetensors"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["report.html", "summary.json", "weights/last.safetensors", "weights/last_ema.safetensors"]
)
def test_a_finished_run_that_is_resumed_has_all_files_again(config, data, held_out, tmp_path, name):
    train(data, config(tmp_path / "run", steps=1, ema=True), validation=held_out)
    weights = sorted((tmp_path / "run/weights").iterdir())
    before = [read_card(path).metric for path in weights]
    (tmp_path / "run" / name).unlink()
    train(data, config(tmp_path / "run", steps=1, ema=True), validation=held_out, resume=True)
    assert (tmp_path / "run" / name).is_file()
    after = [read_card(path).metric for path in weights]
    assert None not in before
    assert [metric for path, metric in zip(weights, after, strict=True) if path.name not in name] == [
        metric for path, metric in zip(weights, before, strict=True) if path.name not in name
    ], "the weights that were there still know their mAP"


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["weights", "held-out images"])
def test_an_evaluation_that_is_owed_comes_first_even_after_another_stop(
    config, data, held_out, tmp_path, monkeypatch, lost
):
    def failing(*_arguments):
        raise DataError("the image cannot be read", where="b.jpg")

    options = config(tmp_path / "run", steps=9, eval_every=2)
    trained, other = (replace(data, annotations=data.annotations[part]) for part in (slice(3), slice(3, 4)))
    train(trained, options, validation=held_out, stop_after=2)
    if lost == "weights":
        other = held_out
        shutil.rmtree(tmp_path / "run/weights")
    with monkeypatch.context() as patch:
        patch.setattr(validation, "detect_all", failing)
        with pytest.raises(DataError, match="cannot be read"):
            train(trained, options, validation=other, resume=True, override=True)
    summary = train(trained, options, validation=other, resume=True, stop_after=2)
    assert (summary["steps"], summary["map"] is None) == (2, False)
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "map" in row] == [2]


@pytest.mark.slow
def test_a_run_does_not_go_back_and_what_was_overridden_is_stored_at_once(config, data, tmp_path, caplog):
    train(data, config(tmp_path / "run"), stop_after=3)
    with pytest.raises(UsageError, match="has made 3 steps, more than --steps 2"):
        train(data, config(tmp_path / "run", steps=2), resume=True, override=True)
    with pytest.raises(UsageError, match="has made 3 steps, more than --stop-after 2"):
        train(data, config(tmp_path / "run"), resume=True, stop_after=2)
    train(data, config(tmp_path / "run", lr=0.5), resume=True, override=True, stop_after=3)
    (tmp_path / "run/metrics.jsonl").unlink()
    assert train(data, config(tmp_path / "run", lr=0.5), resume=True)["steps"] == 4
    assert "metrics.jsonl is gone: the rows so far are lost" in caplog.text


@pytest.mark.slow
def test_a_new_run_does_not_replace_the_weights_that_it_starts_from(config, data, tmp_path):
    train(data, config(tmp_path / "run", steps=1))
    for start in (tmp_path / "run", tmp_path / "run/weights/best.safetensors"):
        with pytest.raises(UsageError, match="would replace the weights that it starts from"):
            train(data, config(tmp_path / "run", init=str(start)), overwrite=True)
    assert (tmp_path / "run/weights/best.safetensors").is_file()


def test_options_that_may_change_are_options():
    assert describe(light("run")).keys() >= MAY_CHANGE


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_clear_error_and_the_old_state_remains(config, coloured, tmp_path):
    """A limit on the size of files stands in for it: weights and small files fit, the state does not."""
    data = load_dataset(coloured)
    train(data, config(tmp_path / "run"), stop_after=1)
    before = (tmp_path / "run" / STATE).read_bytes()
    words = ["train", str(coloured), "--preset", "light", "--init", "none", "--steps", "4", "--batch-size", "2"]
    words += [
        "--image-size",
        str(config("").image_size),
        "--amp",
        "off",
        "--workers",
        "0",
        "--out",
        str(tmp_path / "run"),
        "--resume",
    ]
    most = len(before) - 1
    ended = subprocess.run(
        [sys.executable, "-m", "ssd300", *words],
        capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip
    assert ended.returncode == 1
    assert re.search(r"error: the file cannot be written \(.*\n  where: .*last.pt\n  to do: ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "run" / STATE).read_bytes() == before
    assert not list((tmp_path / "run").rglob(".*.partial"))
    assert train(data, config(tmp_path / "run"), resume=True)["steps"] == 4


class Toy(SSD):
    """In place of the detector."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.settings = PAPER
        self.register_buffer("default_boxes", torch.zeros(1, 4))


def toy_state(folder, **changes) -> TrainState:
    config, model = light(folder, **changes), Toy()
    optimizer = make_optimizer(model, kind=config.optimizer, momentum=config.momentum, weight_decay=0.0)
    return TrainState(config=config, model=model, optimizer=optimizer)


def toy_step(state: TrainState) -> None:
    state.model.weight.grad = torch.ones(1)
    state.optimizer.step()


def test_the_velocity_of_the_optimizer_is_part_of_the_state(tmp_path):
    """One step, saved and loaded into a fresh state, then the second step."""
    first, second = toy_state(tmp_path), toy_state(tmp_path)
    toy_step(first)
    first.save()
    second.load()
    toy_step(second)
    assert second.model.weight.item() == pytest.approx(-1.0 - (1.0 + 0.9))


def test_an_option_of_the_optimizer_can_be_overridden(tmp_path):
    first, second = toy_state(tmp_path), toy_state(tmp_path, momentum=0.5)
    toy_step(first)
    first.save()
    second.load(override=True)
    toy_step(second)
    assert second.model.weight.item() == pytest.approx(-1.0 - (1.0 + 0.5))


def test_another_optimizer_begins_without_the_moments_of_the_first(tmp_path):
    first, second = toy_state(tmp_path), toy_state(tmp_path, optimizer="adamw")
    toy_step(first)
    first.save()
    second.load(override=True)
    assert second.model.weight.item() == pytest.approx(-1.0)
    toy_step(second)
    assert second.model.weight.item() == pytest.approx(-1.0 - 1.0)


def test_the_moments_of_adamw_are_part_of_the_state(tmp_path):
    """One step, saved and loaded into a fresh state, then another; beside both steps without a break."""
    whole, resumed = toy_state(tmp_path, optimizer="adamw"), toy_state(tmp_path, optimizer="adamw")
    toy_step(whole)
    whole.save()
    resumed.load()
    for state in (whole, resumed):
        state.model.weight.grad = torch.full((1,), -0.25)
        state.optimizer.step()
    assert resumed.model.weight.item() == whole.model.weight.item() != -1.0
    assert resumed.optimizer.state_dict()["state"][0]["step"] == 2
