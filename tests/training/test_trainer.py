import json
from dataclasses import replace

import pytest

from ssd300.evaluation.thresholds import Thresholds
from ssd300.training.callbacks import Callback
from ssd300.training.loop import train
from ssd300.weights import read_card


@pytest.mark.slow
def test_patience_ends_a_run_that_gets_no_better(config, data, held_out, tmp_path):
    options = {"steps": 50, "eval_every": 1, "patience": 2, "lr": 1e-9}
    summary = train(data, config(tmp_path / "run", **options), validation=held_out)
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    maps = [row["map"] for row in rows if "map" in row]
    assert maps.index(max(maps)) == len(maps) - 3  # the first of the best, and two that were no better
    assert summary["steps"] == len(maps) < 50
    assert "the run ends (--patience)" in (tmp_path / "run/train.log").read_text()
    options |= {"patience": 0, "steps": 50}
    more = train(data, config(tmp_path / "run", **options), validation=held_out, resume=True, stop_after=len(maps) + 2)
    assert more["steps"] == len(maps) + 2


@pytest.mark.slow
def test_an_image_that_is_skipped_is_logged_and_counted_once(config, data, tmp_path):
    missing = replace(data.annotations[0], image_path=tmp_path / "gone.jpg")
    summary = train(
        replace(data, annotations=[missing, *data.annotations[1:]]), config(tmp_path / "run", on_bad_image="skip")
    )
    assert summary["skipped_images"] == 1
    assert (tmp_path / "run/train.log").read_text().count("skipped (--on-bad-image skip): ") == 1


def saved_steps(config, data, **options):
    steps = []

    class Saves(Callback):
        def on_save(self, progress):
            steps.append(progress.step)

    train(data, config(**options), callbacks=[Saves()])
    return steps


@pytest.mark.slow
def test_states_are_saved_by_minutes_too(config, data, tmp_path):
    assert saved_steps(config, data, out=tmp_path / "a", steps=3, save_minutes=1e-9) == [1, 2, 3]
    assert saved_steps(config, data, out=tmp_path / "b", steps=3, save_minutes=0.0) == [3]


@pytest.mark.slow
def test_the_first_state_comes_early_and_brings_a_report(config, data, tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.training.trainer.FIRST_SAVE_S", 0.0)
    seen = []

    class Looks(Callback):
        def on_step(self, row):
            seen.append((tmp_path / "run/report.html").exists())

    train(data, config(tmp_path / "run", steps=3), callbacks=[Looks()])
    assert seen == [False, True, True]
    assert "the report so far" in (tmp_path / "run/train.log").read_text()


@pytest.mark.slow
def test_weights_that_were_evaluated_hold_the_thresholds_of_best_f1(config, data, held_out, tmp_path, monkeypatch):
    chosen = {data.classes[0]: 0.375}
    monkeypatch.setattr(Thresholds, "min_scores", chosen)  # untrained weights find nothing
    summary = train(data, config(tmp_path / "run"), validation=held_out)
    assert summary["min_scores"] == read_card(tmp_path / "run").min_scores == chosen
    assert read_card(tmp_path / "run").source["min_scores"]["wanted"] == "the best F1"
    assert train(data, config(tmp_path / "none"))["min_scores"] is None
    assert not read_card(tmp_path / "none").min_scores
