"""Images and objects of the files come out of every command or are counted as dropped."""

import json
import re

import pytest

from data.layouts import BOX, HIGH, LAYOUTS, TWO, USUAL, WIDE, check, coco, objects_of, photo, text, xml
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.errors import DataError

# What spoils a dataset: how, and how many images and boxes of the train split it makes bad, or takes away.
BAD = (25, 3, 20, 21)
OUTSIDE = (2, 3, WIDE + 9, 21)
SPOILED = {
    "bad boxes": {"a": (BOX, BAD, OUTSIDE), "b": (BOX,), "empty": (), "d": (BAD,)},
    "the same object twice": {"a": (BOX, BOX), "b": (BOX,)},
    "thin and cut": {"a": ((3, 3, 4, 9), (-1, 3, 9, 9)), "b": (BOX,)},
    "all good": USUAL["train"],
}
EXCLUDED = re.compile(r"excluded: (\d+) objects?")


def faulty(boxes):
    return [box for box in boxes if box in (BAD, OUTSIDE)]


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("name", LAYOUTS)
def test_images_and_objects_come_out_or_are_counted(tmp_path, capsys, name, spoiled):
    images = SPOILED[spoiled]
    root = tmp_path / "data"
    LAYOUTS[name].write(root, {"train": images, "val": USUAL["val"]})
    count, bad = sum(map(len, images.values())), sum(len(faulty(boxes)) for boxes in images.values())
    bad_images = sum(bool(faulty(boxes)) for boxes in images.values())
    report = check(capsys, root)
    assert report["images"] == len(images) + 1
    assert report["objects"] == count + 1
    assert sum(problem["rule"] == "box" for problem in report["problems"]) == bad
    if bad:
        with pytest.raises(DataError, match=f"{bad} bad label"):
            load_dataset(root)
    for policy in ("drop-box", "drop-image"):
        dataset = load_dataset(root, on_bad_label=policy)
        excluded = sum(int(number) for note in dataset.notes for number in EXCLUDED.findall(note))
        dropped = dict(dataset.dropped)
        assert objects_of(dataset) + dropped.get("boxes", 0) + excluded == count
        assert len(dataset) + dropped.get("images", 0) == len(images)
        assert dropped.get("boxes", 0) == (bad if policy == "drop-box" else 0)
        assert dropped.get("images", 0) == (bad_images if policy == "drop-image" else 0)
        assert_written(root, tmp_path / policy, capsys, dataset)


def assert_written(root, new, capsys, dataset):
    """`convert` and `prepare` write what was loaded, and say what they drop."""
    words = [str(root), "--on-bad-label", new.name]
    for number, verb in enumerate(
        (["convert", *words, str(new), "--to", "coco"], ["prepare", *words, "--out", f"{new}2"])
    ):
        capsys.readouterr()
        assert main([*verb, "--json"]) == 0
        out, err = capsys.readouterr()
        summary = json.loads(out)
        found = next(iter(summary["splits"].values())) if number == 0 else summary["train"]
        assert (found["images"], found["objects"]) == (len(dataset), objects_of(dataset))
        assert (f"dropped by --on-bad-label {new.name}" in err) == bool(dataset.dropped)
    again = load_dataset(new)
    assert (len(again), objects_of(again)) == (len(dataset), objects_of(dataset))
    assert objects_of(load_dataset(f"{new}2")) == objects_of(dataset)


def spoil_html(path):
    text(path, "<html><body>404: no such file</body></html>")


def spoil_encoding(path):
    path.write_bytes("0 .5 .5 .2 .2 # \u7ea2\n".encode("gbk"))


@pytest.mark.parametrize(
    ("name", "spoil", "lost"),
    [
        ("voc", spoil_html, 0),
        ("voc_beside", spoil_html, 0),
        ("voc_folders", spoil_html, 0),
        ("voc", lambda path: xml(path, TWO, (WIDE + 1, HIGH)), 2),
        ("yolo", spoil_encoding, 0),
        ("yolo_lists", spoil_encoding, 0),
    ],
)
def test_an_annotation_that_cannot_be_used_takes_its_image_and_is_counted(tmp_path, capsys, name, spoil, lost):
    layout, root = LAYOUTS[name], tmp_path / "data"
    layout.write(root, USUAL)
    spoil(path := root / layout.labels / f"a{layout.suffix}")
    assert [problem["file"] for problem in check(capsys, root)["problems"] if problem["level"] == "error"] == [
        str(path)
    ]
    for policy in ("error", "drop-box"):
        with pytest.raises(DataError, match=rf"1 bad label(.|\n)*\ba{layout.suffix}"):
            load_dataset(root, on_bad_label=policy)
    dataset = load_dataset(root, on_bad_label="drop-image")
    assert (len(dataset), objects_of(dataset), dict(dataset.dropped)) == (2, 1, {"images": 1})
    assert [int(count) for note in dataset.notes for count in EXCLUDED.findall(note)] == ([lost] if lost else [])


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.bare != "used"])
def test_a_missing_image_is_an_error_under_every_policy(tmp_path, name):
    layout, root = LAYOUTS[name], tmp_path / "data"
    layout.write(root, USUAL)
    (root / layout.images / "a.jpg").unlink()
    for policy in ("error", "drop-box", "drop-image"):
        with pytest.raises(DataError, match=r"1 image is missing"):
            load_dataset(root, on_bad_label=policy)


def test_objects_of_no_image_are_bad_boxes(tmp_path, capsys):
    coco(file := tmp_path / "train.json", {"a.jpg": TWO})
    photo(tmp_path / "a.jpg")
    content = json.loads(file.read_text())
    content["annotations"] += [{"id": 8, "image_id": 7, "category_id": 1, "bbox": [1, 1, 5, 5]}, "no entry"]
    text(file, json.dumps(content))
    report = check(capsys, file)
    assert report["objects"] + sum(found["rule"] == "object-without-image" for found in report["problems"]) == 4
    with pytest.raises(DataError, match="2 bad label"):
        load_dataset(file)
    for policy in ("drop-box", "drop-image"):
        dataset = load_dataset(file, on_bad_label=policy)
        assert (objects_of(dataset), dict(dataset.dropped)) == (2, {"boxes": 2})
