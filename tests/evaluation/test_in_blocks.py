"""Stored detections scored in blocks: the numbers of the table in memory, and what is said about it."""

import pytest

from data.predictions.test_parts import found, row, write
from ssd300.data import load_dataset
from ssd300.errors import RunError
from ssd300.evaluation.stored import evaluate_stored


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


@pytest.mark.parametrize("limits", [{}, {"min_score": 0.3}, {"top_k": 2}, {"min_score": 0.2, "top_k": 1}])
def test_blocks_give_the_report_of_the_table(dataset, parts, monkeypatch, limits):
    ways = {"metrics": ["voc07", "voc12"], **limits}
    whole = evaluate_stored(parts, dataset, **ways)
    assert whole.held is not None
    monkeypatch.setattr("ssd300.evaluation.stored.SMALL", 0)
    report = evaluate_stored(parts, dataset, **ways, hold=False)
    assert report.to_dict() == whole.to_dict()
    assert report.notes[:-1] == whole.notes
    assert "scored in blocks" in report.notes[-1]
    with pytest.raises(ValueError, match="not held"):
        _ = report.detections


def test_a_table_that_does_not_fit_is_scored_in_blocks_and_coco_refuses(dataset, parts, monkeypatch):
    pytest.importorskip("faster_coco_eval")
    monkeypatch.setattr("ssd300.evaluation.stored.SMALL", 0)
    assert evaluate_stored(parts, dataset).held is not None
    assert any("held in memory for COCO" in note for note in evaluate_stored(parts, dataset, metrics=["coco"]).notes)
    monkeypatch.setattr("ssd300.evaluation.in_blocks.free_memory_bytes", lambda: 1000)
    assert evaluate_stored(parts, dataset).held is None
    with pytest.raises(RunError, match=r"COCO's metric needs all detections in memory.*of the 0\.00 GB free"):
        evaluate_stored(parts, dataset, metrics=["voc07", "coco"])
