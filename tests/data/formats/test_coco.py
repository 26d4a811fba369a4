import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.data import load_dataset
from ssd300.data.formats.coco_rows import annotation_row, category_rows, from_xywh, result_row
from ssd300.errors import DataError

CATEGORIES = [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}, {"id": 90, "name": "cow"}]


def content(**changes):
    values = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "height": 60, "width": 80},
            {"id": 2, "file_name": "b.jpg", "height": 60, "width": 80},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 30.5, 15], "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 1, "bbox": [0, 0, 80, 60], "iscrowd": 1},
        ],
        "categories": CATEGORIES,
    }
    return values | changes


def write(folder: Path, name: str, values, images: str | None = None) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))
    for entry in values["images"] if images is not None else ():
        path = folder / images / entry["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 60)).save(path)
    return file


def test_by_hand(tmp_path):
    data = load_dataset(write(tmp_path, "labels.json", content(), "images"))
    assert data.classes == ("cat", "dog", "cow")  # in the order of the ids
    second, first = data.annotations  # in the order of their ids too, 2 and 7
    np.testing.assert_allclose(first.boxes_px, [[10, 20, 40.5, 35], [0, 0, 80, 60]])
    assert first.labels.tolist() == [1, 0]
    assert first.difficult.tolist() == first.crowd.tolist() == [False, True]
    assert (first.image_id, first.size_hw, len(second)) == ("a", (60, 80), 0)
    assert any("1 crowd region is" in note for note in data.notes)
    assert any("COCO annotations (labels.json)" in note for note in data.notes)
    left = load_dataset(tmp_path / "labels.json", drop_difficult=True)
    assert [len(annotation) for annotation in left.annotations] == [0, 1]


@pytest.mark.parametrize(
    ("train", "test", "images"),
    [
        ("annotations/instances_train2017.json", "annotations/instances_val2017.json", ("train2017", "val2017")),
        ("annotations/instances_train.json", "annotations/instances_val.json", ("images/train", "images/val")),
        ("train/_annotations.coco.json", "valid/_annotations.coco.json", ("train", "valid")),
        ("train.json", "test.json", ("images", "images")),
    ],
)
def test_layouts(tmp_path, train, test, images):
    write(tmp_path, train, content(), images[0])
    write(tmp_path, test, content(annotations=[]), images[1])
    (tmp_path / "captions.json").write_text('{"images": []}')
    assert sum(map(len, load_dataset(tmp_path).annotations)) == 2
    held_out = load_dataset(tmp_path, purpose="test")
    assert sum(map(len, held_out.annotations)) == 0
    assert held_out.classes == ("cat", "dog", "cow")
    assert all(annotation.image_path.is_file() for annotation in held_out.annotations)
    with pytest.raises(DataError, match="Splits here: "):
        load_dataset(tmp_path, split="nope")


def test_roboflows_group_is_no_class(tmp_path):
    categories = [
        {"id": 0, "name": "cells", "supercategory": "none"},
        {"id": 1, "name": "RBC", "supercategory": "cells"},
        {"id": 3, "name": "WBC", "supercategory": "cells"},
    ]
    write(tmp_path, "train/_annotations.coco.json", content(categories=categories), "train")
    assert load_dataset(tmp_path).classes == ("RBC", "WBC")


ENTRY = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 30, 15]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [ENTRY | {"image_id": 99}]}, r"annotation 1: there is no image with the id 99"),
        ({"annotations": [ENTRY | {"category_id": 5}]}, r"there is no category with the id 5"),
        ({"annotations": [ENTRY | {"bbox": [10, 20, 0, 15]}]}, r"object 1 \(dog\): the box .* is empty"),
        ({"annotations": [ENTRY | {"bbox": [10, 20, -4, 15]}]}, "is inverted"),
        ({"annotations": [ENTRY | {"bbox": [10, 20, 300, 15]}]}, "reaches out of the image"),
        ({"annotations": [{"id": 1, "image_id": 7, "category_id": 3}]}, "missing or not a number"),
        ({"annotations": [ENTRY | {"bbox": [1, 2, "x", 3]}]}, "missing or not a number"),
        ({"annotations": ["text"]}, "there is no image with the id None"),
        ({"images": [{"id": 7, "file_name": "../a.jpg"}]}, r"leads out of the folder"),
        ({"images": [{"id": 7}]}, "has no file_name"),
        ({"images": [{"file_name": "a.jpg"}]}, "has no id"),
        ({"images": [{"id": 7, "file_name": "a.jpg"}] * 2}, "the id 7 is listed twice"),
        ({"categories": [{"id": 1, "name": "a"}, {"id": 3, "name": "a"}]}, "two categories are called 'a'"),
        ({"categories": [{"id": 3}]}, "has no name"),
        ({"images": 5}, "has no list 'images'"),
    ],
)
def test_a_fault_is_named_with_file_and_entry(tmp_path, changes, message):
    values = content(**changes)
    (tmp_path / "labels.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(tmp_path / "labels.json", require_images=False)
    assert "labels.json" in str(caught.value)


def test_missing_images_and_files_that_are_not_coco(tmp_path):
    file = write(tmp_path, "labels.json", content())
    with pytest.raises(DataError, match=r"2 images are missing"):
        load_dataset(file)
    assert len(load_dataset(file, require_images=False)) == 2
    (tmp_path / "cut.json").write_text(file.read_text()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        load_dataset(tmp_path / "cut.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(DataError, match="no data of a known format"):
        load_dataset(tmp_path / "list.json")


def test_rows_by_hand_and_back():
    row = annotation_row(5, 2, 0, (10.0, 20.0, 40.5, 35.0), crowd=True, difficult=1)
    assert row == {
        "id": 5, "image_id": 2, "category_id": 1, "bbox": [10, 20, 30.5, 15], "area": 457.5, "iscrowd": 1,
        "difficult": 1,
    }  # fmt: skip
    assert from_xywh(*row["bbox"]) == (10, 20, 40.5, 35)
    found = result_row("a", 3, (10.0, 20.0, 40.5, 35.0), 0.5)
    assert found == {"image_id": "a", "category_id": 3, "bbox": [10, 20, 30.5, 15], "score": 0.5}
    assert category_rows(["cat", "dog"]) == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
