import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.predictions.test_foreign import write_coco, write_coco_annotations, write_ours, write_xml
from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def test_faults_that_are_skipped_are_counted_and_the_rest_is_read(data, tmp_path):
    path, ids_of = write_coco(tmp_path)
    rows = json.loads(path.read_text())
    wrong = [rows[0] | {"image_id": 99}, rows[0] | {"score": float("nan")}, {"image_id": 0}, 5]
    path.write_text(json.dumps([*rows, *wrong]))
    stored = read_predictions(path, data.annotations, data.classes, ids_of=ids_of, on_bad="skip")
    assert len(stored.table) == 3
    assert "4 rows skipped" in stored.notes[0]
    assert "entry 4: the image id 99" in stored.notes[0]


def sized_coco(folder, height, width):
    path, _ = write_coco_annotations(folder)
    content = json.loads(path.read_text())
    content["images"][3] |= {"height": height, "width": width}
    path.write_text(json.dumps(content))
    return path


def sized_lines(folder, height, width):
    write_ours(folder)
    images = json.loads((folder / "detections.json").read_text())["images"]
    images[1] |= {"height": height, "width": width}
    (folder / "detections.jsonl").write_text("".join(json.dumps(image) + "\n" for image in images))
    return folder / "detections.jsonl"


def sized_object(folder, height, width):
    write_ours(folder)
    content = json.loads((folder / "detections.json").read_text())
    content["images"][1] |= {"height": height, "width": width}
    (folder / "detections.json").write_text(json.dumps(content))
    return folder / "detections.json"


def sized_xml(folder, height, width):
    write_xml(folder)
    size = "" if height is None else f"<size><width>{width}</width><height>{height}</height></size>"
    path = folder / "p3.xml"
    path.write_text(path.read_text().replace("<annotation>", f"<annotation>{size}"))
    return folder


SIZED = pytest.mark.parametrize("write", [sized_coco, sized_lines, sized_object, sized_xml])


@SIZED
@pytest.mark.parametrize(
    ("size_hw", "message"),
    [
        ((120, 160), None),
        ((0, 0), None),
        ((None, None), None),
        (("120", "160"), None),
        ((240, 320), "for 320 x 240 pixels, the image p3 of the data has 160 x 120$"),
        ((160, 120), "for 120 x 160 pixels, the image p3 of the data has 160 x 120: one of the two is turned"),
        (("high", "160"), "size '160' x 'high' is not two numbers"),
    ],
)
def test_predictions_for_an_image_of_another_size_are_a_fault(data, tmp_path, write, size_hw, message):
    (tmp_path / "stored").mkdir()
    path = write(tmp_path / "stored", *size_hw)
    if message is None:
        assert len(read_predictions(path, data.annotations, data.classes).table) == 3
        return
    with pytest.raises(DataError) as caught:
        read_predictions(path, data.annotations, data.classes)
    assert re.search(message, caught.value.what)
    stored = read_predictions(path, data.annotations, data.classes, on_bad="skip")
    assert [data.annotations[index].image_id for index in stored.table.image_index] == ["p0", "p0"]
    assert "1 row skipped" in stored.notes[0]
    unsized = [replace(annotation, size_hw=None) for annotation in data.annotations]
    if "not two numbers" not in message:
        assert len(read_predictions(path, unsized, data.classes).table) == 3


def test_boxes_that_are_inverted_or_outside_are_reported(data, tmp_path):
    path = tmp_path / "results.json"
    _, ids_of = write_coco(tmp_path)
    boxes = ([0, 0, -5, 5], [150, 100, 30, 30], [159, 119, 2, 2], [-3, 0, 5, 5])
    path.write_text(json.dumps([{"image_id": 0, "category_id": 7, "score": 0.5, "bbox": box} for box in boxes]))
    notes = read_predictions(path, data.annotations, data.classes, ids_of=ids_of).notes
    assert any("1 box is inverted" in note for note in notes)
    assert any("2 boxes leave their images" in note for note in notes)
    assert any("no score is below 0.5" in note for note in notes)


def test_an_image_is_found_by_id_path_or_a_file_name_that_is_its_own(data):
    first, second, *others = data.annotations
    twins = [replace(first, image_id="x/p0", image_path=Path("x/p0.jpg")),
             replace(second, image_id="y/p0", image_path=Path("y/p0.jpg"))]  # fmt: skip
    rows = PredictionRows([*twins, *others], data.classes)
    assert [rows.image(name) for name in ("x/p0", "y/p0", "x/p0.jpg", "p3", "some/where/p3.png", "C:\\p3.jpg")] == [
        0, 1, 0, 3, 3, 3
    ]  # fmt: skip
    for name in ("p0", "p0.jpg", "z/p0.jpg", "nobody"):
        with pytest.raises(DataError, match="is not in the data, or several have its name"):
            rows.image(name)
    with pytest.raises(DataError, match="the class 'green' is not one of blue, red"):
        rows.label("green")


def test_a_fault_is_raised_with_its_place_or_skipped(data):
    strict = PredictionRows(data.annotations, data.classes)
    with pytest.raises(DataError, match="file:3: score or box is not finite"), strict.at("file:3"):
        strict.add(0, 0, (np.nan, 0.0, 0.0, 1.0, 1.0))
    rows = PredictionRows(data.annotations, data.classes, "skip")
    with rows.at("file:4"):
        rows.add(0, 0, (0.5, 0.0, 0.0, np.inf, 1.0))
    rows.add(1, 0, (0.5, 0.0, 0.0, 1.0, 1.0))
    assert (rows.skipped, rows.first_skipped) == (1, "file:4: score or box is not finite: 0.5, 0.0, 0.0, inf, 1.0")
    assert len(rows.take()) == 1
    assert len(rows.take()) == 0
