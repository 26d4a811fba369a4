import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.cli import main
from ssd300.data import Dataset, load_dataset
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.evaluation.comparison import compare
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.reporting.comparison import HEADLINES
from ssd300.types import DetectionTable


def data(annotations, classes=("cat", "dog")):
    return Dataset(annotations=annotations, classes=classes, root=Path(), split="test")


def test_the_same_detections_differ_in_nothing():
    annotations, rows = problem(0)
    same = compare(data(annotations), table(rows), table(rows), resamples=50)
    assert (same.overall.difference, same.overall.low, same.overall.high) == (0.0, 0.0, 0.0)
    assert (same.overall.verdict, same.overall.b_leads, same.changed) == ("undecided", 0.0, [])


def test_a_detector_that_lost_half_of_its_detections_is_worse():
    annotations, rows = problem(1)
    worse = [row for row in rows if row[0] % 2]
    result = compare(
        data(annotations, ("cat", "dog", "none")), table(rows), table(worse), metric="voc12", resamples=400
    )
    aps = [mean_ap(voc_average_precision(annotations, table(r), 3, protocol="voc12")) for r in (rows, worse)]
    assert [result.overall.a, result.overall.b] == pytest.approx(aps)
    assert result.overall.low < result.overall.difference < result.overall.high < 0
    assert result.overall.verdict == "worse"
    assert result.per_class["none"].difference is None
    assert all(one.image_index % 2 == 0 for one in result.changed)
    assert result.to_dict()["per_class"]["cat"]["verdict"] in ("worse", "undecided")
    turned = compare(data(annotations), table(worse), table(rows), metric="voc12", resamples=400)
    assert turned.overall.low == pytest.approx(-result.overall.high)
    assert turned.overall.verdict == "better"


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """Of two detectors of one kind, each missing a random tenth, most intervals hold 0."""
    random = np.random.default_rng(0)
    held = 0
    for seed in range(40):
        annotations, rows = problem(seed)
        a, b = ([row for row in rows if random.random() > 0.1] for _ in range(2))
        result = compare(data(annotations), table(a), table(b), metric="voc12", resamples=200)
        held += result.overall.verdict == "undecided"
    assert held >= 30


@pytest.mark.parametrize(("annotations", "resamples", "message"), [([], 10, "no images"), (None, 0, "resamples is 0")])
def test_what_cannot_be_compared(annotations, resamples, message):
    known, rows = problem(0)
    with pytest.raises(ValueError, match=message):
        compare(data(known if annotations is None else annotations), table(rows), table(rows), resamples=resamples)


@pytest.fixture
def stored(coloured, tmp_path):
    """Predictions that are the labels, and predictions that miss them all."""
    data = load_dataset(coloured, purpose="test")
    (annotation,) = data.annotations
    good = DetectionTable(
        image_index=np.zeros(1, np.int64), labels=annotation.labels, scores=np.array([0.9]),
        boxes_px=annotation.boxes_px,
    )  # fmt: skip
    bad = replace(good, boxes_px=np.array([[0.0, 0.0, 4.0, 4.0]]))
    for name, table_ in (("good", good), ("bad", bad)):
        write_comp4(tmp_path / name, "test", table_, data.annotations, data.classes)
    return str(tmp_path / "good"), str(tmp_path / "bad")


@pytest.mark.parametrize(
    ("order", "require", "code"), [(1, "nothing", 0), (1, "not-worse", 1), (-1, "not-worse", 0), (-1, "better", 0)]
)
def test_the_command_and_its_exit_code(stored, coloured, tmp_path, capsys, order, require, code):
    a, b = stored[::order]
    verdict = "worse" if order == 1 else "better"
    words = ["compare", a, b, str(coloured), "--resamples", "20", "--require", require]
    assert main([*words, "--markdown", str(tmp_path / "table.md"), "--html", str(tmp_path / "page.html")]) == code
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f'<div class="headline">{HEADLINES[verdict]}</div>' in page
    assert page.count("data:image/jpeg") == 3  # labels, A, B
    table_ = (tmp_path / "table.md").read_text()
    assert f"B is **{verdict}**: voc07_11pt@0.5 on 1 images" in table_
    assert "| mAP | " in table_
    out = capsys.readouterr()
    assert "changed most" in out.out
    assert ("--require is not-worse" in out.err) == bool(code)
    assert main([*words, "--json"]) == code
    result = json.loads(capsys.readouterr().out)
    assert (result["verdict"], result["difference"]) == (verdict, -1.0 * order)
    assert [one["change"] for one in result["changed"]] == [-2 * order]


def test_weights_are_evaluated(light_run, stored, coloured, capsys):
    assert main(["compare", str(light_run), stored[0], str(coloured), "--resamples", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["detectors"]["b"] == stored[0]


def test_mistakes_are_reported_before_anything_is_read(stored, coloured, tmp_path, capsys):
    (tmp_path / "there.md").write_text("mine")
    assert main(["compare", *stored, str(coloured), "--markdown", str(tmp_path / "there.md")]) == 2
    assert main(["compare", *stored, str(coloured), "--html", str(tmp_path / "there.md")]) == 2
    assert main(["compare", *stored, str(coloured), "--resamples", "0"]) == 2
    assert main(["compare", "nowhere", stored[0], str(coloured)]) == 4
    assert "there is no such weights file" in capsys.readouterr().err
