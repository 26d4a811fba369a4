import json
import math

import numpy as np
import pytest

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.splits import UnusableSplitError
from ssd300.errors import DataError


@pytest.fixture
def lists(coloured, tmp_path):
    out = tmp_path / "lists"
    assert main(["prepare", str(coloured), "--out", str(out)]) == 0
    return out


def change(path, edit):
    value = json.loads(path.read_text())
    path.write_text(json.dumps(edit(value)))


def first(columns):
    """An edit that puts other columns into the first entry, which has one object."""
    return lambda entries: [entries[0] | columns, *entries[1:]]


@pytest.mark.parametrize("purpose", ["train", "test"])
def test_lists_hold_what_the_folder_holds(coloured, lists, purpose):
    folder, listed = load_dataset(coloured, purpose=purpose), load_dataset(lists, purpose=purpose)
    assert listed.classes == folder.classes
    assert listed.fingerprint() == folder.fingerprint()
    assert "label_map.json" in listed.notes[0]


def test_lists_work_wherever_they_and_the_images_are_moved_together(coloured, lists, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for folder in (coloured, lists):
        folder.rename(tmp_path / "elsewhere" / folder.name)
    assert len(load_dataset(tmp_path / "elsewhere/lists")) == 4


@pytest.mark.slow
def test_lists_train_and_evaluate(lists, tmp_path, capsys):
    words = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]
    assert main(["train", str(lists), "--out", str(tmp_path / "run"), *words]) == 0
    assert main(["eval", str(lists), "--weights", str(tmp_path / "run")]) == 0
    assert "VOC 2007 rule (11 points), IoU 0.5, on 1 image\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("TRAIN_images.json", lambda v: v[:-1], "4 entries where TRAIN_images.json has 3"),
        ("TRAIN_images.json", lambda v: [1, *v[1:]], "TRAIN_images.json, entry 1: the entry is not a path"),
        ("TRAIN_images.json", lambda v: {"a": 1}, "not a JSON list"),
        ("TRAIN_images.json", lambda v: ["gone.jpg", *v[1:]], r"entry 1 \(.*gone.jpg\): 1 image is missing"),
        ("TRAIN_images.json", lambda v: ["", *v[1:]], "TRAIN_images.json, entry 1: the entry is not a path"),
        ("TRAIN_images.json", lambda v: ["x" * 5000, *v[1:]], "is missing"),
        ("TRAIN_images.json", lambda v: [*v[:3], v[0]], "entry 4: the image .* is listed twice, first in entry 1"),
        ("TRAIN_objects.json", lambda v: [1, *v[1:]], "TRAIN_objects.json, entry 1: the entry is not"),
        ("TRAIN_objects.json", lambda v: [{}, *v[1:]], "entry 1: the entry is not"),
        ("TRAIN_objects.json", first({"labels": 1}), "entry 1: the entry is not"),
        ("TRAIN_objects.json", first({"labels": []}), "entry 1: the entry has 1 boxes, 0 labels, 1 difficulties"),
        (
            "TRAIN_objects.json",
            first({"labels": [9]}),
            r"entry 1 .*, object 1: the label 9 is not one of label_map.json, 1",
        ),
        ("TRAIN_objects.json", first({"labels": [0]}), "the label 0 is not"),
        ("TRAIN_objects.json", first({"labels": [-1]}), "the label -1 is not"),
        ("TRAIN_objects.json", first({"labels": [1.5]}), "the label 1.5 is not"),
        ("TRAIN_objects.json", first({"labels": [None]}), "the label None is not"),
        ("TRAIN_objects.json", first({"difficulties": [2]}), "the difficulty 2 is not 0 or 1"),
        (
            "TRAIN_objects.json",
            first({"boxes": [[1, 2, 3]]}),
            r"entry 1 .*, object 1 .*: the box .* is not four numbers",
        ),
        ("TRAIN_objects.json", first({"boxes": ["1234"]}), "the box '1234' is not four numbers"),
        ("TRAIN_objects.json", first({"boxes": [[1, 2, "3", 4]]}), "is not four numbers"),
        ("TRAIN_objects.json", first({"boxes": [[1, 2, 3, 10**400]]}), "is not four numbers"),
        ("TRAIN_objects.json", first({"boxes": [[9, 2, 3, 8]]}), "object 1 .*is inverted"),
        ("TRAIN_objects.json", first({"boxes": [[1, 2, math.nan, 8]]}), "object 1 .*not a number"),
        ("label_map.json", lambda v: v | {"red": 7}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: v | {"red": 1}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: v | {"red": 0}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: v | {"red": "2"}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: v | {"red": [2]}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: v | {"background": 3}, "the labels are not 1, 2, 3"),
        ("label_map.json", lambda v: {}, "the labels are not 1, 2, 3"),
    ],
)
def test_a_bad_list_is_named_with_its_entry(lists, name, edit, message):
    change(lists / name, edit)
    with pytest.raises(DataError, match=message):
        load_dataset(lists)


def test_a_missing_image_is_named_with_what_to_do(lists, coloured):
    (coloured / "JPEGImages/p1.jpg").unlink()
    with pytest.raises(DataError, match=r"entry 2 .*p1\.jpg.*Relative paths start at the folder of the lists"):
        load_dataset(lists)
    assert len(load_dataset(lists, require_images=False)) == 4


def test_absolute_paths_and_a_map_without_background_are_understood(coloured, tmp_path):
    out = tmp_path / "deep/lists"
    assert main(["prepare", str(coloured), "--out", str(out), "--absolute-paths"]) == 0
    change(out / "label_map.json", lambda v: {name: label for name, label in v.items() if name != "background"})
    (tmp_path / "deep").rename(tmp_path / "moved")
    assert load_dataset(tmp_path / "moved/lists").fingerprint() == load_dataset(coloured).fingerprint()


@pytest.mark.parametrize(
    ("split", "images"), [("TRAIN", 4), ("train", 4), ("trainval", 4), ("Test", 1), ("TEST", 1), ("val", 1)]
)
def test_splits_by_either_name(lists, split, images):
    assert len(load_dataset(lists, split=split)) == images


@pytest.mark.parametrize("purpose", ["train", "test"])
def test_an_empty_list_is_no_split(lists, purpose):
    for name in ("TRAIN_images", "TRAIN_objects", "TEST_images", "TEST_objects"):
        change(lists / f"{name}.json", lambda v: [])
    with pytest.raises(UnusableSplitError, match=f"{purpose.upper()}_images.json lists no image"):
        load_dataset(lists, purpose=purpose)


def test_joined_years_have_the_ids_of_the_folders(coloured, tmp_path):
    """The same names in both years, one of them a link."""
    (tmp_path / "kit").mkdir()
    years = [tmp_path / "kit/VOC2007", tmp_path / "kit/VOC2012"]
    for year in years:
        year.symlink_to(coloured)
    assert main(["prepare", *map(str, years), "--out", str(tmp_path / "lists")]) == 0
    joined, listed = load_dataset(*years), load_dataset(tmp_path / "lists")
    assert [a.image_id for a in joined.annotations[3:5]] == ["VOC2007/p3", "VOC2012/p0"]
    assert listed.fingerprint() == joined.fingerprint()


def test_images_of_one_name_and_one_grandparent_have_their_paths_for_ids(lists, coloured):
    paths = [coloured / "sub" / name for name in ("a/p.jpg", "a/p.png", "b/p.jpg", "b/q.jpg")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    change(lists / "TRAIN_images.json", lambda v: [str(path) for path in paths])
    assert [a.image_id for a in load_dataset(lists).annotations] == [*map(str, paths[:3]), "q"]


def test_lists_that_are_not_json_or_absent(lists):
    (lists / "TRAIN_objects.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"TRAIN_objects\.json: the list cannot be read"):
        load_dataset(lists)
    (lists / "TRAIN_objects.json").write_text("[")
    with pytest.raises(DataError, match=r"TRAIN_objects\.json: the list cannot be read"):
        load_dataset(lists)
    (lists / "TRAIN_objects.json").unlink()
    with pytest.raises(DataError, match=r"TRAIN_objects\.json: there is no such list"):
        load_dataset(lists)
    with pytest.raises(DataError, match="no split 'train2'"):
        load_dataset(lists, split="train2")


def test_bad_boxes_of_lists_are_dropped_by_the_policy(lists):
    change(lists / "TRAIN_objects.json", lambda v: [v[0] | {"difficulties": [1], "boxes": [[1, 2, 0, 4]]}, *v[1:]])
    dropped = load_dataset(lists, on_bad_label="drop-box")
    assert dropped.dropped == {"boxes": 1}
    assert not dropped.annotations[0].difficult.any()
    assert np.shape(dropped.annotations[0].boxes_px) == (0, 4)
    assert len(load_dataset(lists, on_bad_label="drop-image")) == 3


def test_a_path_that_is_not_utf8_can_be_hashed(lists):
    change(lists / "TRAIN_images.json", lambda v: ["caf\udce9.jpg", *v[1:]])
    assert len(load_dataset(lists, require_images=False).fingerprint()) == 64
