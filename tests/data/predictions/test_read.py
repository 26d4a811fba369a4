import json

import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.data.predictions.read import read_predictions
from ssd300.errors import DataError
from ssd300.types import DetectionTable

TABLE = DetectionTable(
    image_index=np.array([0, 2, 0]),
    labels=np.array([1, 0, 1]),
    scores=np.array([0.9, 1 / 3, 0.1]),
    boxes_px=np.array([[0.0, 0.0, 10.0, 20.0], [1.5, 2.25, 30.0, 40.125], [5.0, 5.0, 6.0, 6.0]]),
)


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def read(path, data):
    return read_predictions(path, data.annotations, data.classes)


def assert_same_rows(table, wanted):
    def rows(t):
        columns = (t.image_index.tolist(), t.labels.tolist(), t.scores.tolist(), t.boxes_px.tolist())
        return sorted(zip(*columns, strict=True))

    assert rows(table) == rows(wanted)


def test_voc_results_keep_every_digit_both_ways(data, tmp_path):
    write_comp4(tmp_path, "test", TABLE, data.annotations, data.classes)
    first = (tmp_path / "comp4_det_test_red.txt").read_text().splitlines()[0]
    assert first == "p0 0.9 1.0 1.0 10.0 20.0"  # both ends counted from 1
    stored = read(tmp_path, data)
    assert stored.format == "comp4"
    assert_same_rows(stored.table, TABLE)
    assert "2 of 4 images have no detection" in stored.notes


def test_our_own_lines(data, tmp_path):
    row = {"label": "red", "label_id": 1, "score": 0.5, "box": {"xmin": 1.5, "ymin": 2.0, "xmax": 3.0, "ymax": 4.0}}
    line = {"image": "some/where/p1.jpg", "width": 160, "height": 120, "detections": [row]}
    empty = line | {"image": "p2.jpg", "detections": []}
    path = tmp_path / "detections.jsonl"
    path.write_text(json.dumps(line) + "\n" + json.dumps(empty) + "\n")
    for named in (path, tmp_path):
        stored = read(named, data)
        assert stored.format == "jsonl"
        assert stored.table.image_index.tolist() == [1]
        assert stored.table.boxes_px.tolist() == [[1.5, 2.0, 3.0, 4.0]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p0 0.5 1 1 10", "comp4_det_test_red.txt:2.*5 columns where 6"),
        ("p0 high 1 1 10 10", "comp4_det_test_red.txt:2.*high"),
        ("p0 nan 1 1 10 10", "comp4_det_test_red.txt:2.*not finite"),
        ("p9 0.5 1 1 10 10", "comp4_det_test_red.txt:2.*'p9' is not in the data"),
    ],
)
def test_a_bad_row_of_voc_results_is_named_by_file_and_line(data, tmp_path, line, message):
    (tmp_path / "comp4_det_test_red.txt").write_text(f"p0 0.5 1 1 10 10\n{line}\n")
    with pytest.raises(DataError, match=message):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "detections.jsonl:2"),
        ('{"image": "p9.jpg", "detections": []}', "detections.jsonl:2.*p9"),
        ('{"image": "p0.jpg", "detections": []}', "detections.jsonl:2.*p0.*detections.jsonl:1 already"),
        ('{"image": "p1.jpg", "detections": [{"label": "green", "score": 1, "box": {}}]}', "detections.jsonl:2"),
        ('{"image": "p1.jpg", "detections": [{"label": "red", "box": {}}]}', "detections.jsonl:2"),
    ],
)
def test_a_bad_line_of_ours_is_named(data, tmp_path, line, message):
    path = tmp_path / "detections.jsonl"
    path.write_text('{"image": "p0.jpg", "detections": []}\n' + line + "\n")
    with pytest.raises(DataError, match=message):
        read(path, data)


def test_predictions_that_are_still_packed_are_told(data, tmp_path):
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed/results.tar.xz").write_bytes(b"")
    with pytest.raises(DataError, match=r"Unpack results\.tar\.xz first"):
        read_predictions(tmp_path / "packed", data.annotations, data.classes)


def test_an_unknown_class_file_two_kinds_at_once_and_nothing(data, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none", data)
    with pytest.raises(DataError, match="unknown format"):
        read(tmp_path, data)
    (tmp_path / "comp4_det_test_green.txt").write_text("")
    with pytest.raises(DataError, match="'green' is not one of blue, red"):
        read(tmp_path, data)
    (tmp_path / "detections.jsonl").write_text('{"image": "p0.jpg", "detections": []}\n')
    with pytest.raises(DataError, match="two predictions"):
        read(tmp_path, data)
