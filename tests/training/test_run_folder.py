import csv
import json
import logging
from functools import partial

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from ssd300.data.predictions.read import read_predictions
from ssd300.evaluation.evaluator import evaluate
from ssd300.training.loop import train
from ssd300.training.records import StepRow
from ssd300.training.run_folder import RunFolder
from ssd300.training.run_log import RunLog
from ssd300.weights import read_card

WITHOUT_A_SPLIT = {"config.yaml", "command.txt", "train.log", "env.json", "data.json", "results.csv", "metrics.jsonl",
                   "summary.json", "report.html", "weights/best.safetensors", "weights/last.safetensors",
                   "state/last.pt", "plots/loss.png", "plots/lr.png", "plots/labels.png",
                   "images/training_batch.jpg"}  # fmt: skip
WITH_A_SPLIT = {"plots/map.png", "plots/precision_recall.png", "plots/confusion.png", "plots/errors.png",
                "plots/sizes.png", "plots/reliability.png", "images/validation_1.jpg", "images/worst_1.jpg",
                "eval/failures.json",
                "eval/per_class.csv", "eval/detections.jsonl", "eval/comp4/comp4_det_test_blue.txt",
                "eval/comp4/comp4_det_test_red.txt"}  # fmt: skip


@pytest.fixture
def config(config):
    return partial(config, steps=3)


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*") if path.is_file()}


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_all_that_a_run_folder_holds(config, data, held_out, coloured, tmp_path):
    out = tmp_path / "run"
    summary = train(data, config(out), validation=held_out)
    assert files(out) == WITHOUT_A_SPLIT | WITH_A_SPLIT
    assert json.loads((out / "summary.json").read_text()) == summary
    for name in ("map", "metric", "per_class", "steps", "images_seen", "seconds", "seed", "git", "versions"):
        assert name in summary
    assert set(summary["per_class"]["red"]) == {"ap", "objects", "detections"}
    assert yaml.safe_load((out / "config.yaml").read_text())["batch_size"] == 2
    described = json.loads((out / "data.json").read_text())
    assert (described["images"], described["validation"]["images"]) == (4, 1)
    for name in files(out):
        if name.endswith((".png", ".jpg")):
            with Image.open(out / name) as image:
                image.load()
    report = (out / "report.html").read_text(encoding="utf-8")
    assert summary["metric"] in report
    assert "http" not in report
    assert report.count("data:image/png") == 9
    assert report.count("data:image/jpeg") == 5  # labels and detections of one image, twice; one of training


@pytest.mark.slow
def test_the_stored_evaluation_is_that_of_the_best_weights(config, data, held_out, tmp_path):
    out = tmp_path / "run"
    summary = train(data, config(out), validation=held_out)
    report = evaluate(out, held_out)
    assert report.to_dict()["per_class"] == summary["per_class"]
    assert read_card(out).metric == {"name": summary["metric"], "value": summary["map"], "images": 1}
    for stored in (out / "eval", out / "eval/comp4"):
        if stored.name == "eval":
            stored = stored / "detections.jsonl"
        table = read_predictions(stored, held_out.annotations, held_out.classes).table
        order = np.lexsort((table.boxes_px[:, 0], table.labels, -table.scores))
        wanted = report.detections
        same = np.lexsort((wanted.boxes_px[:, 0], wanted.labels, -wanted.scores))
        assert (table.scores[order] == wanted.scores[same]).all()
        assert np.allclose(table.boxes_px[order], wanted.boxes_px[same], rtol=0, atol=1e-9)
    with (out / "eval/per_class.csv").open() as lines:
        rows = {row["class"]: row for row in csv.DictReader(lines)}
    assert rows["red"]["objects"] == "1"
    assert (rows["blue"]["ap"], rows["blue"]["objects"]) == ("", "0")


@pytest.mark.slow
def test_without_a_held_out_split_parts_are_absent_and_the_report_says_so(config, data, tmp_path):
    out = tmp_path / "run"
    summary = train(data, config(out))
    assert files(out) == WITHOUT_A_SPLIT
    assert (summary["map"], summary["metric"], summary["per_class"]) == (None, None, None)
    assert "no held-out split" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_rows_in_both_files(config, data, held_out, tmp_path):
    out = tmp_path / "run"
    train(data, config(out, eval_every=2), validation=held_out)
    rows = jsonl(out / "metrics.jsonl")
    assert [(row["step"], "lr" in row, "map" in row) for row in rows] == [
        (1, True, False), (2, True, False), (2, False, True), (3, True, False), (3, False, True),
    ]  # fmt: skip
    assert rows[2]["per_class"].keys() == {"blue", "red"}
    with (out / "results.csv").open() as lines:
        table = list(csv.DictReader(lines))
    assert [row["step"] for row in table] == ["1", "2", "2", "3", "3"]
    assert float(table[0]["localization"]) == rows[0]["localization"]
    assert (table[0]["map"], table[2]["lr"]) == ("", "")


def without_time(rows):
    measured = {"seconds", "images_per_second", "memory_bytes"}
    return [{name: value for name, value in row.items() if name not in measured} for row in rows]


@pytest.mark.slow
def test_resuming_cuts_rows_after_the_state_and_repeats_none(config, data, held_out, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(data, config(whole, eval_every=2), validation=held_out)
    train(data, config(parts, eval_every=2), validation=held_out, stop_after=2)
    with (parts / "metrics.jsonl").open("a") as file:  # what a run leaves that is killed before its next state
        file.write('{"step": 3, "lr": 1.0}\n{"step": 4, "l')
    with (parts / "results.csv").open("a") as file:
        file.write("3,,,\n4,")
    summary = train(data, config(parts, eval_every=2), validation=held_out, resume=True)
    assert without_time(jsonl(parts / "metrics.jsonl")) == without_time(jsonl(whole / "metrics.jsonl"))
    assert len((parts / "results.csv").read_text().splitlines()) == 1 + 5
    seconds = [row["seconds"] for row in jsonl(parts / "metrics.jsonl")]
    assert seconds == sorted(seconds)
    assert summary["seconds"] >= seconds[-1]


@pytest.mark.slow
def test_overwriting_leaves_nothing_of_the_run_before(config, data, held_out, tmp_path):
    out = tmp_path / "run"
    train(data, config(out), validation=held_out)
    (out / "mine.txt").write_text("kept")
    train(data, config(out), overwrite=True)
    assert files(out) == WITHOUT_A_SPLIT | {"mine.txt"}


def a_folder(config, data, *, resumed):
    return RunFolder(config, data, None, device=torch.device("cpu"), resumed=resumed, run_log=RunLog(config.out))


@pytest.mark.parametrize(
    ("step", "steps", "seconds", "end"),
    [
        (110, 120, 99.0, "  9 s left"),
        (490, 500, 490 * 89.5, "  15 min left"),
        (120, 120, 99.0, " images/s"),
    ],
)
def test_the_line_of_a_step_fits_into_80_columns(config, data, tmp_path, step, steps, seconds, end):
    folder = a_folder(config(tmp_path, steps=steps), data, resumed=False)
    row = StepRow(step, step * 8, seconds, lr=4.1e-4, localization=1.82, classification=2.58)
    line = folder._line(row, 108.7)
    assert line.startswith(f"step {step}/{steps}  loss 1.82 box, 2.58 class  rate 4.1e-4  109 images/s")
    assert line.endswith(end)
    assert len(line) < 80


def test_slow_steps_have_a_line_of_the_log_between_the_rows(config, data, tmp_path, caplog):
    folder = a_folder(config(tmp_path, steps=20, log_every=10), data, resumed=False)
    folder.records.start()
    with caplog.at_level(logging.INFO):
        for step in range(1, 11):
            folder.on_step(StepRow(step, step * 8, step * 14.0, lr=1e-2, localization=1.0, classification=1.0))
    assert [line.split()[1] for line in caplog.messages] == ["3/20", "6/20", "9/20", "10/20"]
    assert [row["step"] for row in folder.records.logged] == [10]


def test_the_time_left_is_that_of_this_process(config, data, tmp_path):
    folder = a_folder(config(tmp_path, steps=20), data, resumed=True)
    folder.start = 10, 1000.0  # on a slower machine
    row = StepRow(15, 30, 1005.0, lr=1e-2, localization=1.0, classification=1.0)
    assert folder._line(row, 2.0).endswith("  5 s left")
