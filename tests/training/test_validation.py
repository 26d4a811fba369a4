import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ssd300.errors import DataError, UsageError
from ssd300.training import validation
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.loop import train
from ssd300.training.validation import Validator
from training.torchrun import torchrun

CPU = torch.device("cpu")


@pytest.mark.slow
def test_a_signal_in_an_evaluation_gives_it_up_and_the_resumed_run_makes_it(
    config, data, held_out, tmp_path, monkeypatch
):
    train(data, config(tmp_path / "whole", eval_every=2), validation=held_out)
    detect_all = validation.detect_all

    def signalled(*arguments):
        signal.raise_signal(signal.SIGINT)
        return detect_all(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(validation, "detect_all", signalled)
        with pytest.raises(KeyboardInterrupt):
            train(data, config(tmp_path / "parts", eval_every=2), validation=held_out)
    assert "the evaluation was interrupted" in (tmp_path / "parts/train.log").read_text()
    parts = train(data, config(tmp_path / "parts", eval_every=2), validation=held_out, resume=True)
    rows = (tmp_path / "parts/metrics.jsonl").read_text()
    assert rows.count('"map"') == (tmp_path / "whole/metrics.jsonl").read_text().count('"map"') == 2
    assert parts["steps"] == 4


@pytest.mark.slow
def test_evaluating_in_the_middle_changes_neither_weights_nor_the_random_stream(config, data, held_out, tmp_path):
    train(data, config(tmp_path / "often", steps=3, eval_every=1), validation=held_out)
    train(data, config(tmp_path / "never", steps=3))
    often, never = (torch.load(str(tmp_path / name / "state/last.pt")) for name in ("often", "never"))
    assert torch.equal(often["random"], never["random"])
    assert all(torch.equal(tensor, never["model"][name]) for name, tensor in often["model"].items())


def test_the_model_is_in_training_mode_again_and_an_interrupted_evaluation_has_no_report(config, data, held_out):
    state, card = initial_state(data, config("run"), ALONE, CPU)
    validator = Validator(dataset=held_out, card=card, device=CPU)
    assert validator.evaluate(state.model, lambda: True) is None
    assert state.model.training
    assert validator.evaluate(state.model).images == 1
    assert state.model.training


@pytest.mark.slow
def test_an_evaluation_in_several_processes_is_that_of_one_number_for_number(coloured, tmp_path):
    """With statistics that differ between the processes, of which those of the main one count."""
    found = []
    for processes in (1, 2, 3):
        out = tmp_path / f"{processes}.json"
        ended = torchrun(processes, Path(__file__).with_name("evaluating.py"), coloured, out)
        assert ended.returncode == 0, ended.stderr
        found.append(out.read_text())
    assert len(json.loads(found[0])[1]["scores"]) > 100
    assert found[0] == found[1] == found[2]


def test_held_out_images_that_are_trained_on_are_left_out_or_refused(config, data, held_out, tmp_path, caplog):
    both = replace(held_out, annotations=[*held_out.annotations, data.annotations[0]])
    summary = train(data, config(tmp_path / "run", steps=1), validation=both)
    assert summary["images"] == len(held_out)
    said = f"1 of {len(both)} images of 'test' are trained on and left out of it"
    assert said in caplog.text
    assert said in (tmp_path / "run/train.log").read_text()
    with pytest.raises(UsageError, match="all 4 held-out images are trained on"):
        train(data, config(tmp_path / "other"), validation=data)
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_run_that_is_measured_on_other_images_forgets_its_best_map_or_is_refused(
    config, data, held_out, tmp_path, caplog
):
    trained, other = (replace(data, annotations=data.annotations[part]) for part in (slice(3), slice(3, 4)))
    out = tmp_path / "run"
    train(trained, config(out, eval_every=1), validation=held_out, stop_after=1)
    for changed in (None, other):
        with pytest.raises(UsageError, match="the held-out images are not those that the run was measured on"):
            train(trained, config(out, eval_every=1), validation=changed, resume=True, stop_after=2)
    summary = train(
        trained, config(out, eval_every=1), validation=other, resume=True, override=True, stop_after=2
    )  # fmt: skip
    assert "the best mAP so far is forgotten" in caplog.text
    assert summary["images"] == 1
    assert json.loads((out / "data.json").read_text())["validation"]["fingerprint"] == other.fingerprint()


@pytest.mark.slow
def test_what_was_trained_is_saved_before_an_evaluation_that_fails(config, data, held_out, tmp_path, monkeypatch):
    def failing(*_arguments):
        raise DataError("the image cannot be read", where="b.jpg")

    with monkeypatch.context() as patch:
        patch.setattr(validation, "detect_all", failing)
        with pytest.raises(DataError, match="cannot be read"):
            train(data, config(tmp_path / "run"), validation=held_out)
    assert "the state after step 4 is saved" in (tmp_path / "run/train.log").read_text()
    assert train(data, config(tmp_path / "run"), validation=held_out, resume=True)["map"] is not None
