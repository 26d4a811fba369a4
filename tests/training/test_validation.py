import json
import signal
from pathlib import Path

import pytest
import torch

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
