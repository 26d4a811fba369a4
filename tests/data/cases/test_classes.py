"""Which names are one class, and classes that are none. The numbers are those of the cases that users had."""

import json

import pytest

from data.cases.made import BOX, boxes, coco, counts, obj, picture, text, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.data.held_out import load_held_out
from ssd300.errors import DataError

SPELLINGS = ["Car", "car", "car ", "CAR", "van"]


@pytest.fixture
def spelled(tmp_path):
    root = tmp_path / "d"
    for number, name in enumerate(SPELLINGS):
        picture(root / f"JPEGImages/p{number}.jpg")
        xml(root / f"Annotations/p{number}.xml", obj(name))
    text(root / "ImageSets/Main/train.txt", "p0\np1\np2\np3\np4\n")
    return root


def test_spellings_of_a_class_are_one_in_every_command(spelled, tmp_path, commands, would_train):
    """Case 15."""
    _, report = commands.check(spelled)
    assert report["classes"] == {"car": {"train": 4}, "van": {"train": 1}}
    assert commands.rules(spelled) == {"class-spelling": 3}
    run = would_train(spelled)
    assert (run.train.classes, counts(run.train)) == (("car", "van"), {"car": 4, "van": 1})
    assert "1 label 'CAR' as 'car'" in run.said
    assert commands.run("prepare", spelled, "--out", tmp_path / "l")[0] == 0
    assert json.loads((tmp_path / "l/label_map.json").read_text()) == {"car": 1, "van": 2, "background": 0}
    assert commands.run("convert", spelled, tmp_path / "o", "--to", "coco")[0] == 0
    written = json.loads((tmp_path / "o/annotations/instances_train.json").read_text())
    assert [row["name"] for row in written["categories"]] == ["car", "van"]


@pytest.mark.parametrize("lines", ["car\nvan\n", "CAR\nVan \n"])
def test_a_file_of_classes_folds_them_too(spelled, tmp_path, commands, lines):
    """Case 15."""
    text(tmp_path / "classes.txt", lines)
    code, out, _ = commands.run("prepare", spelled, "--out", tmp_path / "l", "--classes", tmp_path / "classes.txt",
                                "--json")  # fmt: skip
    assert code == 0
    assert list(json.loads(out)["train"]["objects_per_class"].values()) == [4, 1]


def test_only_some_classes_are_named_in_any_spelling(spelled):
    """Case 15."""
    dataset = load_dataset(spelled, only=["cAR"])
    assert (dataset.classes, counts(dataset), len(dataset)) == (("car",), {"car": 4}, 5)
    assert "excluded: 1 object of other classes, by --only" in dataset.notes
    with pytest.raises(DataError, match="--only names cart"):
        load_dataset(spelled, only=["cart"])


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_listed_spellings_are_one_class(tmp_path, commands, form):
    """Case 15, in formats that list classes: the first spelling of the list is the name in every command."""
    if form == "yolo":
        root = yolo(tmp_path / "d", {"images/train": 1}, "train: images/train\nnames: [Car, car, van]\n")
        text(root / "labels/train/images_train0.txt", "1 .5 .5 .2 .2\n1 .4 .4 .2 .2\n2 .5 .5 .3 .3\n")
    else:
        root = tmp_path / "d"
        file = coco(root / "annotations/instances_train.json", [(20, 20, 60, 50)] * 3,
                    categories=("Car", "car", "van"))  # fmt: skip
        content = json.loads(file.read_text())
        for row, (category, left) in zip(content["annotations"], ((2, 1), (2, 2), (3, 3)), strict=True):
            row |= {"category_id": category, "bbox": [left, 20, 60, 50]}
        text(file, json.dumps(content))
        picture(root / "images/a.jpg")
    dataset = load_dataset(root)
    assert (dataset.classes, counts(dataset)) == (("Car", "van"), {"Car": 2, "van": 1})
    assert commands.check(root)[1]["classes"] == {"Car": {"train": 2}, "van": {"train": 1}}
    assert commands.rules(root) == {"class-spelling": 1}


def test_two_classes_of_one_name_are_refused_and_two_spellings_are_one(tmp_path, commands):
    """Case 15: the numbers of a data.yaml tell them apart, their names do not."""
    root = yolo(tmp_path / "d", {"images/train": 1}, "train: images/train\nnames: [car, van, car]\n")
    text(root / "labels/train/images_train0.txt", "0 .5 .5 .2 .2\n2 .4 .4 .2 .2\n")
    with pytest.raises(DataError, match="the class 'car' is listed twice"):
        load_dataset(root)
    text(root / "data.yaml", "train: images/train\nnames: [car, van, Car]\n")
    dataset = load_dataset(root)
    assert (dataset.classes, counts(dataset)) == (("car", "van"), {"car": 2})
    assert any("class name differs by case or spaces" in note for note in dataset.notes)
    assert commands.rules(root) == {"class-spelling": 1}


def test_joined_data_has_one_list_of_classes(tmp_path):
    """Case 15, with two datasets whose numbers mean other classes."""
    yolo(tmp_path / "a", {"images/train": 1}, "train: images/train\nnames: [car, van]\n")
    yolo(tmp_path / "b", {"images/train": 1}, "train: images/train\nnames: [Van, Car]\n")
    dataset = load_dataset(tmp_path / "a", tmp_path / "b")
    assert (dataset.classes, counts(dataset)) == (("car", "van"), {"car": 1, "van": 1})


def unused_background(root, name):
    """YOLO and COCO data that list a background, which no object has."""
    yolo(root / "y", {"images/train": 2, "images/val": 2},
         f"train: images/train\nval: images/val\nnames: ['{name}', car]\n",
         line="1 .41666666666666669 .5 .5 .55555555555555558\n")  # fmt: skip
    coco(root / "c/annotations/instances_train.json", [(20, 20, 60, 50)], categories=("car", name))
    picture(root / "c/images/a.jpg")


@pytest.mark.parametrize("name", ["background", "Background", "_background_", " BACKGROUND "])
@pytest.mark.parametrize("form", ["y", "c"])
def test_an_unused_background_is_dropped_and_said(tmp_path, commands, would_train, form, name):
    """Case 33."""
    unused_background(tmp_path, name)
    run = would_train(tmp_path / form)
    assert (run.train.classes, set(counts(run.train))) == (("car",), {"car"})
    assert "called background" in run.said
    assert commands.rules(tmp_path / form) == {"background-class": 1}
    assert commands.check(tmp_path / form)[0] == 0
    assert commands.run("prepare", tmp_path / form, "--out", tmp_path / "l")[0] == 0
    assert json.loads((tmp_path / "l/label_map.json").read_text()) == {"car": 1, "background": 0}


@pytest.mark.parametrize("verb", ["train", "prepare", "convert"])
@pytest.mark.parametrize("name", ["background", "Background", "__background__"])
def test_objects_of_a_class_called_background_are_an_error(tmp_path, commands, verb, name):
    """Case 33."""
    root = voc(tmp_path / "d", "ab", {"train": "ab"}, classes=(name, "car"))
    words = (tmp_path / "o", "--to", "yolo") if verb == "convert" else ("--out", tmp_path / "o")
    code, _, err = commands.run(verb, root, *words)
    assert code == 3
    assert "1 object is of a class called background" in err
    code, report = commands.check(root)
    assert code == 3
    assert [(problem["rule"], problem["level"]) for problem in report["problems"]] == [("background-class", "error")]


def test_a_background_in_a_file_of_classes_is_dropped(tmp_path, commands):
    """Case 33."""
    root = voc(tmp_path / "d", "ab", {"train": "a", "test": "b"})
    text(tmp_path / "classes.txt", "background\ncar\n")
    code, out, err = commands.run("prepare", root, "--out", tmp_path / "l", "--classes", tmp_path / "classes.txt",
                                  "--json")  # fmt: skip
    assert (code, json.loads(out)["classes"]) == (0, ["car"])
    assert "called background" in err


def test_names_are_read_as_they_are_written(tmp_path):
    """Case 61: YAML would read `yes` as true and `001` as 1."""
    root = yolo(tmp_path / "d", {"images/train": 1}, "train: images/train\nnames: [yes, 001, 1.0, null, ~]\n")
    assert load_dataset(root).classes == ("yes", "001", "1.0", "null", "~")


def test_classes_that_one_side_lacks_are_said(tmp_path):
    """Case 03, with a held-out class that is never trained on, and a listed one that never occurs."""
    root = yolo(tmp_path / "d", {"images/train": 1, "images/val": 1},
                "train: images/train\nval: images/val\nnames: [car, van, bus]\n")  # fmt: skip
    text(root / "labels/val/images_val0.txt", "1 .5 .5 .2 .2\n")
    trained = load_dataset(root)
    assert "2 of 3 classes have no object in 'train': van, bus" in trained.notes
    _, notes = load_held_out([root], trained)
    assert "held-out classes without an object to train on: van (1 object)" in notes


def test_predictions_may_spell_the_class_otherwise(tmp_path, commands):
    """Case 15, with eval --predictions."""
    root = voc(tmp_path / "d", "a", classes=("Car",))
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))
    row = {"image": "a.jpg", "width": 120, "height": 90, "detections": [{"label": "car", "score": 0.9, "box": box}]}
    text(tmp_path / "detections.jsonl", json.dumps(row) + "\n")
    code, out, err = commands.run("eval", root, "--predictions", tmp_path / "detections.jsonl", "--json")
    assert code == 0, err
    assert json.loads(out)["map"] == 1.0
    assert boxes(load_dataset(root)) == {"a": [BOX]}


def test_weights_may_spell_the_class_otherwise(tmp_path):
    """Case 15, with eval: weights of 'van' and 'car' score data of 'Car'."""
    dataset = load_dataset(voc(tmp_path / "d", "a", classes=("Car",)))
    assert counts(dataset.with_classes(("van", "car"))) == {"car": 1}
    with pytest.raises(ValueError, match="objects of Car"):
        dataset.with_classes(("van",))
