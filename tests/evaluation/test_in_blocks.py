"""Stored detections scored in blocks: the numbers of the table in memory, and what is said about it."""

import json

import pytest

from data.predictions.test_parts import found, row, write
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.predictions.parts import find_parts
from ssd300.evaluation.in_blocks import SHARE
from ssd300.evaluation.stored import evaluate_stored
from ssd300.system.stores import open_store


@pytest.fixture
def dataset(coloured):
    return load_dataset(coloured, purpose="test")


@pytest.fixture
def parts(dataset, tmp_path):
    """Two detections near each object, a part per image, and one image with an error."""
    rows = []
    for number, annotation in enumerate(dataset.annotations):
        boxes = zip(annotation.boxes_px.tolist(), annotation.labels, strict=True)
        detections = [
            found(dataset.classes[label], 0.1 * (1 + (number + shift) % 7), [corner + shift for corner in box])
            for box, label in boxes
            for shift in (0, 1, 9)
        ]
        error = "cut off" if number == 1 else None
        height, width = annotation.size_hw
        rows.append([row(annotation.image_id, *([] if error else detections), error=error, size=(width, height))])
    return write(tmp_path / "parts", *rows)


def assert_equal(one, other):
    """Plain values, numbers to 1e-12."""
    if isinstance(one, dict):
        assert list(one) == list(other)
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_equal(mine, theirs)
    else:
        assert one == (pytest.approx(other, rel=0, abs=1e-12) if isinstance(other, float) else other)


@pytest.mark.parametrize("limits", [{}, {"min_score": 0.3}, {"top_k": 2}, {"min_score": 0.2, "top_k": 1}])
def test_blocks_give_the_report_of_the_table(dataset, parts, monkeypatch, limits):
    pytest.importorskip("faster_coco_eval")
    ways = {"metrics": ["voc07", "voc12", "coco"], **limits}
    whole = evaluate_stored(parts, dataset, **ways)
    assert whole.held is not None
    monkeypatch.setattr("ssd300.evaluation.stored.SMALL", 0)
    report = evaluate_stored(parts, dataset, **ways, hold=False)
    assert_equal(report.to_dict(), whole.to_dict())
    assert report.notes[:-1] == whole.notes
    assert "scored in blocks" in report.notes[-1]
    with pytest.raises(ValueError, match="not held"):
        _ = report.detections


@pytest.mark.parametrize("metric", ["voc07", "coco"])
def test_a_table_that_does_not_fit_is_scored_in_blocks(dataset, parts, monkeypatch, metric):
    pytest.importorskip("faster_coco_eval")
    monkeypatch.setattr("ssd300.evaluation.stored.SMALL", 0)
    assert evaluate_stored(parts, dataset, metrics=[metric]).held is not None
    monkeypatch.setattr("ssd300.evaluation.in_blocks.free_memory_bytes", lambda: 1000)
    assert evaluate_stored(parts, dataset, metrics=[metric]).held is None


def test_the_table_of_cocos_metric_needs_more_memory(dataset, parts, monkeypatch):
    pytest.importorskip("faster_coco_eval")
    monkeypatch.setattr("ssd300.evaluation.stored.SMALL", 0)
    free = int(find_parts(parts).most_detections * 1000 / SHARE)  # between the two
    monkeypatch.setattr("ssd300.evaluation.in_blocks.free_memory_bytes", lambda: free)
    assert evaluate_stored(parts, dataset, metrics=["voc07", "voc12"]).held is not None
    assert evaluate_stored(parts, dataset, metrics=["voc07", "coco"]).held is None


def test_eval_reads_the_parts_at_an_address(dataset, parts, coloured, tmp_path, capsys):
    store = open_store(f"memory://{tmp_path.name}")
    for file in parts.iterdir():
        store.write(f"parts/{file.name}", file.read_bytes())
    printed = []
    for place in (str(parts), f"memory://{tmp_path.name}"):
        assert main(["eval", str(coloured), "--predictions", place, "--json"]) == 0
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0] == printed[1]
    assert main(["eval", str(coloured), "--predictions", "memory://nowhere"]) == 3
    assert "there are no detections in Parquet" in capsys.readouterr().err
    assert main(["eval", str(coloured), "--predictions", "nowhere://bucket/job"]) == 2
    assert "nowhere" in capsys.readouterr().err
