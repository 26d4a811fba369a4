"""Mistakes of a command line, collected; and what `ssd300` says when nobody's input is at fault."""

import pytest

from ssd300.cli import main
from ssd300.cli.app import COLLECT_MISTAKES, VERBS
from ssd300.cli.mistakes import Mistakes, typed
from ssd300.errors import DataError, MistakesError, UsageError
from ssd300.types import Selection


def test_one_mistake_is_raised_as_it_is_and_several_in_their_order():
    mistakes = Mistakes()
    mistakes.raise_all()
    with mistakes.caught():
        raise DataError("no image")
    with pytest.raises(DataError, match="no image"):
        mistakes.raise_all()
    mistakes.add("no option")
    with mistakes.caught():
        mistakes.raise_all()
    with pytest.raises(MistakesError) as raised:
        mistakes.raise_all()
    assert [error.what for error in raised.value.errors] == ["no image", "no option"]  # each once


def test_each_value_that_is_refused_is_a_mistake_of_its_option():
    mistakes = Mistakes()
    made = mistakes.built(Selection, {"min_score": 3.0, "top_k": 0, "max_overlap": 0.3}, fix="See the help.")
    assert (made.max_overlap, made.top_k) == (0.3, Selection().top_k)
    assert [error.what.split(";")[0] for error in mistakes.errors] == ["--min-score is 3.0", "--top-k is 0"]


def test_a_command_with_wrong_words_is_checked_but_never_run():
    with typed(["detect"], [UsageError("no such option")]):
        mistakes = Mistakes()
        assert mistakes.words is None
        with pytest.raises(UsageError, match="no such option"):
            mistakes.raise_all()
    assert Mistakes().errors == []


@pytest.mark.parametrize("verb", sorted(COLLECT_MISTAKES))
def test_each_verb_that_collects_stops_at_a_wrong_word(verb, coloured, light_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data, run = coloured.name, light_run.name
    words = {
        "train": [data, "--out", "new", "--steps", "1"], "eval": [data, "-w", run], "detect": [data, "-w", run],
        "export": ["-w", run, "--out", "new.onnx"], "serve": ["-w", run], "compare": [run, run, data],
        "thresholds": [data, "-w", run], "verify": [run, data], "convert": [data, "--out", "new", "--to", "coco"],
        "prepare": [data, "--out", "new"], "split": [data, "--out", "new", "--holdout", "0.5"],
        "label": [data],
        "benchmark": ["-w", run, "--rounds", "1"], "plan": ["--images", "1e6", "-w", run],
        "next": [data, "-w", run], "review": [data, "-w", run],
        "shard": [data, "--out", "new"],
    }  # fmt: skip
    before = sorted(tmp_path.rglob("*"))
    assert (
        main([verb, *words[verb], {"serve": "--hosst=127.0.0.1", "benchmark": "--deviec=cpu"}.get(verb, "--jsn")]) == 2
    )
    assert f"{verb} has no option --" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_help_and_version_are_words_too(capsys):
    assert main(["help", "train"]) == 0
    assert "ssd300 train" in capsys.readouterr().out
    assert main(["help"]) == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in VERBS)
    assert main(["version"]) == 0
    assert capsys.readouterr().out[0].isdigit()


def test_a_fault_of_the_program_is_told_in_one_line_that_asks_for_a_report(monkeypatch, capsys):
    def fail():
        raise KeyError("a bug")

    monkeypatch.setattr("ssd300.system.environment.environment", fail)
    assert main(["env"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "a bug" in err
    assert "--debug" in err
    with pytest.raises(KeyError):
        main(["env", "--debug"])
