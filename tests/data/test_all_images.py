import json
import shutil

import pytest
from PIL import Image

from conftest import object_xml, write_voc
from ssd300.data.all_images import all_images, is_dataset
from ssd300.errors import DataError


def named(found):
    return {one.path.name: one.has_labels for one in found}


def add(folder, *names):
    for name in names:
        Image.new("RGB", (20, 20)).save(folder / name)


def test_images_beside_labels_and_without_any(tmp_path):
    for name in ("a", "b"):
        text = object_xml("nut", (1, 1, 9, 9)) if name == "a" else ""
        size = "<size><width>20</width><height>20</height></size>"
        (tmp_path / f"{name}.xml").write_text(f"<annotation>{size}{text}</annotation>")
    add(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    (tmp_path / "notes.txt").write_text("mine")
    assert is_dataset(tmp_path)
    found = all_images([tmp_path])
    assert named(found) == {"a.jpg": True, "b.jpg": True, "c.jpg": False}  # an annotation without objects is a label
    assert [one.path.name for one in found] == ["a.jpg", "b.jpg", "c.jpg"]


def test_images_that_no_list_of_voc_has(coloured):
    add(coloured / "JPEGImages", "new.jpg", "more.jpg")
    found = named(all_images([coloured]))
    assert found == {**{f"p{number}.jpg": True for number in range(5)}, "new.jpg": False, "more.jpg": False}
    assert set(named(all_images([coloured], split="test"))) == {"p4.jpg"}


def test_a_broken_annotation_is_no_label_and_its_image_is_there(coloured):
    (coloured / "Annotations/p0.xml").write_text("<annotation>")
    assert named(all_images([coloured]))["p0.jpg"] is False


def test_yolo_where_an_empty_file_says_that_there_is_nothing(tmp_path):
    for part in ("images", "labels"):
        for split in ("train", "val"):
            (tmp_path / part / split).mkdir(parents=True)
    add(tmp_path / "images/train", "a.jpg", "b.jpg", "c.jpg")
    add(tmp_path / "images/val", "d.jpg")  # a split without any labels
    (tmp_path / "labels/train/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "labels/train/b.txt").write_text("")
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [nut]\n")
    assert named(all_images([tmp_path])) == {"a.jpg": True, "b.jpg": True, "c.jpg": False, "d.jpg": False}


def test_coco_where_an_image_without_objects_has_no_labels(tmp_path):
    add(tmp_path, "a.jpg", "b.jpg")
    images = [{"id": n, "file_name": f"{name}.jpg", "width": 20, "height": 20} for n, name in enumerate("ab")]
    objects = [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 1, 5, 5]}]
    content = {"images": images, "annotations": objects, "categories": [{"id": 1, "name": "nut"}]}
    (tmp_path / "cells.json").write_text(json.dumps(content))
    assert named(all_images([tmp_path / "cells.json"])) == {"a.jpg": True, "b.jpg": False}


def test_an_image_of_two_datasets_has_labels_if_one_of_them_has_some(tmp_path):
    one = write_voc(tmp_path / "one", {"a": object_xml("nut", (1, 1, 9, 9))}, {})
    add(one / "JPEGImages", "a.jpg", "b.jpg")
    other = tmp_path / "other"
    shutil.copytree(one, other)
    assert [(one.path.parts[-3], one.has_labels) for one in all_images([one, other])] == [
        ("one", True), ("one", False), ("other", True), ("other", False),
    ]  # fmt: skip


def test_what_is_no_dataset(tmp_path, coloured):
    add(tmp_path, "a.jpg")
    assert not is_dataset(tmp_path / "none")
    assert not is_dataset(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="no split 'none'"):
        all_images([coloured], split="none")
