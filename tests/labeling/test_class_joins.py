"""A class that gets the name of another one, in each format: both are one then, and nothing else is changed."""

import json

import pytest

from ssd300.data import load_dataset
from ssd300.labeling.label_store import Sent
from ssd300.labeling.objects import LabeledObject
from ssd300.labeling.project import Project

CLASSES = ("cat", "dog", "bird")


def project_of(folder, store_of):
    return Project(folder, store_of(folder))


def coco(photos, splits=("train", "val")):
    """Two files, the second without a dog."""
    for number, split in enumerate(splits):
        names = CLASSES if number == 0 else ("cat", "bird")
        content = {
            "images": [{"id": number, "file_name": f"img{number}.png", "width": 60, "height": 40}],
            "categories": [{"id": 3 + 2 * CLASSES.index(name), "name": name, "of": "mine"} for name in names],
            "annotations": [
                {"id": place, "image_id": number, "category_id": 3 + 2 * CLASSES.index(name), "bbox": [1, 2, 10, 20],
                 "mine": place} for place, name in enumerate(names)
            ],
        }  # fmt: skip
        (photos / f"instances_{split}.json").write_text(json.dumps(content, indent=1))


def test_coco_classes_are_joined_in_each_file(photos, store_of):
    coco(photos)
    before = json.loads((photos / "instances_train.json").read_text())
    other = (photos / "instances_val.json").read_text()
    project = project_of(photos, store_of)
    assert project.rename_class("dog", "Cat") == 1  # in any case
    after = json.loads((photos / "instances_train.json").read_text())
    assert [one["category_id"] for one in after["annotations"]] == [3, 3, 7]
    assert [{**one, "category_id": 0} for one in after["annotations"]] == [
        {**one, "category_id": 0} for one in before["annotations"]
    ]
    assert after["categories"] == [before["categories"][0], before["categories"][2]]
    assert (photos / "instances_val.json").read_text() == other
    assert project.classes == ["cat", "bird"]
    assert dict(project.store.counts()) == {"cat": 3, "bird": 2}
    assert set(load_dataset(photos, split="train").classes) == {"cat", "bird"}


def test_a_coco_class_that_one_file_lacks_is_renamed_there(photos, store_of):
    coco(photos)
    project = project_of(photos, store_of)
    project.rename_class("cat", "dog")
    content = json.loads((photos / "instances_val.json").read_text())
    assert [one["name"] for one in content["categories"]] == ["dog", "bird"]
    assert dict(project.store.counts()) == {"dog": 3, "bird": 2}
    assert project_of(photos, store_of).classes == project.classes


def test_yolo_classes_are_joined_and_the_list_keeps_its_numbers(photos, store_of):
    (photos / "data.yaml").write_text(text := "names: [cat, dog, bird]\ntrain: .\n")
    (photos / "img0.txt").write_bytes(b"0 0.5 0.5 0.2 0.2\r\n1 0.5 0.50 0.2 0.2\r\n2 .5 .5 .1 .1")
    (photos / "img1.txt").write_bytes(other := b"2 0.5 0.50 0.2 0.2")
    project = project_of(photos, store_of)
    assert project.rename_class("dog", "cat") == 1
    assert (photos / "img0.txt").read_bytes() == b"0 0.5 0.5 0.2 0.2\r\n0 0.5 0.50 0.2 0.2\r\n2 .5 .5 .1 .1"
    assert (photos / "img1.txt").read_bytes() == other
    assert (photos / "data.yaml").read_text() == text
    assert project.classes == ["cat", "dog", "bird"]
    assert dict(project.store.counts()) == {"cat": 2, "bird": 2}
    assert project.rename_class("dog", "cow") == 0
    assert (photos / "data.yaml").read_text() == 'names: [cat, "cow", bird]\ntrain: .\n'


@pytest.mark.parametrize(("new", "classes"), [("dog", ["dog"]), ("DOG ", ["dog"]), ("Cat", ["dog", "Cat"])])
def test_voc_classes_are_joined_or_spelled_anew(photos, store_of, new, classes):
    project = project_of(photos, store_of)
    for number, name in enumerate(("cat", "dog")):
        sent = [Sent(object=LabeledObject(name=name, box_px=(3.0, 4.0, 20.0, 30.0)))]
        project.store.save(number, sent, base="new", exists=True)
    assert project.rename_class("cat", new) == 1
    assert sorted(project.classes) == sorted(classes)
    assert sum(project.store.counts().values()) == 2
