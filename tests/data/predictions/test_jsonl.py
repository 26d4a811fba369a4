import json

import pytest

from data.predictions.test_read import read
from ssd300.data import load_dataset
from ssd300.data.predictions.jsonl import DETECTION_COLUMNS, corners_of, detection_row, image_row
from ssd300.errors import DataError


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


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


def test_a_row_by_hand_and_back(data, tmp_path):
    found = detection_row("red", 1, 0.5, (1.5, 2.0, 3.0, 4.0))
    row = image_row("p1.jpg", (120, 160), [found], frame=3, time_s=0.1)
    assert row == {
        "image": "p1.jpg", "frame": 3, "time_s": 0.1, "width": 160, "height": 120,
        "detections": [
            {"label": "red", "label_id": 1, "score": 0.5, "box": {"xmin": 1.5, "ymin": 2.0, "xmax": 3.0, "ymax": 4.0}}
        ],
    }  # fmt: skip
    assert list(row) == ["image", "frame", "time_s", "width", "height", "detections"]
    assert (*list(found)[:3], *found["box"]) == DETECTION_COLUMNS
    assert corners_of(found) == (1.5, 2.0, 3.0, 4.0)
    (tmp_path / "detections.jsonl").write_text(json.dumps(row) + "\n")
    table = read(tmp_path, data).table
    assert (table.labels.tolist(), table.scores.tolist()) == ([1], [0.5])
    assert table.boxes_px.tolist() == [[1.5, 2.0, 3.0, 4.0]]
