"""What the page says of splits, and images that it adds to a list."""

import json
import shutil

import pytest
from PIL import Image

from conftest import write_voc
from ssd300.data import load_dataset
from ssd300.errors import DataError
from ssd300.labeling.label_store import Sent
from ssd300.labeling.objects import LabeledObject
from ssd300.labeling.project import Project

MAIN = "ImageSets/Main"
BOX = LabeledObject(name="cat", box_px=(3.0, 4.0, 20.0, 30.0))


@pytest.fixture
def voc(tmp_path):
    """Five images; the last two have no labels, and are in no list."""
    root = write_voc(tmp_path / "voc", dict.fromkeys("abc", ""), {"train": ["a"], "val": ["b"], "test": ["c"]})
    (root / MAIN / "trainval.txt").write_bytes(b"a\r\nb")
    for name in "abcde":
        Image.new("RGB", (160, 120)).save(root / f"JPEGImages/{name}.jpg")
    return root


def opened(folder, store_of, **options):
    return Project(folder, store_of(folder, **options))


def label(project, number):
    store = project.store
    store.save(number, [Sent(object=BOX)], base=store.read(number).version, exists=True)


def test_images_of_each_split_and_those_that_no_list_names(voc, store_of):
    project = opened(voc, store_of)
    assert project.splits() == {"trainval": [0, 1], "train": [0], "val": [1], "test": [2]}
    assert project.unlisted() == []
    label(project, 4)
    assert project.unlisted() == [4]
    assert len(load_dataset(voc, split="train")) == 1


def test_images_are_added_to_a_list_and_to_that_of_train_and_val(voc, store_of):
    project = opened(voc, store_of)
    label(project, 3)
    label(project, 4)
    assert project.add_to_list("val") == 2
    assert (voc / MAIN / "val.txt").read_bytes() == b"b\nd\ne\n"
    assert (voc / MAIN / "trainval.txt").read_bytes() == b"a\r\nb\r\nd\r\ne\r\n"
    assert (voc / MAIN / "train.txt").read_bytes() == b"a\n"
    assert project.splits()["val"] == [1, 3, 4]
    assert project.unlisted() == []
    assert project.add_to_list("val") == 0
    assert [one.image_id for one in load_dataset(voc, split="val").annotations] == ["b", "d", "e"]
    assert len(load_dataset(voc, split="trainval")) == 4


@pytest.mark.parametrize("name", ["", "all", "cat", "../train"])
def test_an_unknown_list_is_refused(voc, store_of, name):
    with pytest.raises(DataError, match="there is no list"):
        opened(voc, store_of).add_to_list(name)


def test_a_list_with_flags_is_not_added_to(voc, store_of):
    (voc / MAIN / "test.txt").write_text("c  1\n")
    project = opened(voc, store_of)
    label(project, 3)
    with pytest.raises(DataError, match="flag in each line"):
        project.add_to_list("test")
    assert (voc / MAIN / "test.txt").read_text() == "c  1\n"


def test_a_list_that_cannot_be_read_is_told(voc, store_of):
    (voc / MAIN / "test.txt").write_text("c\nc\n")
    project = opened(voc, store_of)
    assert "listed twice" in project.store.files.split_fault
    assert "test" not in project.splits()


def test_a_list_in_utf_16_stays_so(voc, store_of):
    (voc / MAIN / "test.txt").write_bytes("c\r\n".encode("utf-16"))
    project = opened(voc, store_of)
    label(project, 3)
    project.add_to_list("test")
    assert (voc / MAIN / "test.txt").read_bytes() == "c\r\nd\r\n".encode("utf-16")


def test_data_that_is_not_split_has_no_splits(photos, voc, store_of, tmp_path):
    project = opened(photos, store_of)
    label(project, 0)
    assert (project.splits(), project.unlisted()) == ({}, [])
    with_out = opened(voc, store_of, out=tmp_path / "mine")
    assert (with_out.splits(), with_out.unlisted()) == ({}, [])


def test_folders_are_splits(voc, store_of):
    shutil.rmtree(voc / "ImageSets")
    for name, split in zip("abcde", ("train", "train", "valid", "valid", "test"), strict=True):
        (voc / split).mkdir(exist_ok=True)
        (voc / f"JPEGImages/{name}.jpg").rename(voc / split / f"{name}.jpg")
        if name in "abc":
            (voc / f"Annotations/{name}.xml").rename(voc / split / f"{name}.xml")
    (voc / "JPEGImages").rmdir()
    (voc / "Annotations").rmdir()
    project = opened(voc, store_of)
    names = {name: [project.names[number] for number in numbers] for name, numbers in project.splits().items()}
    assert names == {
        "train": ["train/a.jpg", "train/b.jpg"], "valid": ["valid/c.jpg", "valid/d.jpg"], "test": ["test/e.jpg"],
    }  # fmt: skip
    assert project.store.files.split_lists == []


def test_splits_of_yolo_and_coco(photos, store_of, tmp_path):
    for split, number in (("train", 0), ("val", 1)):
        (photos / split).mkdir()
        (photos / f"img{number}.png").rename(photos / split / f"img{number}.png")
    (photos / "img2.png").rename(photos / "val/img2.png")
    (photos / "data.yaml").write_text("names: [cat]\ntrain: train\nval: val\n")
    project = opened(photos, store_of)
    assert project.splits() == {"train": [0], "val": [1, 2]}
    with pytest.raises(DataError, match="no list"):
        project.add_to_list("train")
    (photos / "data.yaml").unlink()
    for split, numbers in (("train", [0]), ("val", [1, 2])):
        rows = [{"id": n, "file_name": f"img{n}.png", "width": 60, "height": 40} for n in numbers]
        content = {"images": rows, "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
        (photos / f"instances_{split}.json").write_text(json.dumps(content))
    splits = opened(photos, store_of).splits()
    assert sorted(map(sorted, splits.values())) == [[0], [1, 2]]
