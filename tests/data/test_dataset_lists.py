import json

import numpy as np
import pytest

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.errors import DataError


@pytest.fixture
def lists(coloured, tmp_path):
    out = tmp_path / "lists"
    assert main(["prepare", str(coloured), "--out", str(out)]) == 0
    return out


def change(path, edit):
    value = json.loads(path.read_text())
    path.write_text(json.dumps(edit(value)))


@pytest.mark.parametrize("purpose", ["train", "test"])
def test_lists_hold_what_the_folder_holds(coloured, lists, purpose):
    folder, listed = load_dataset(coloured, purpose=purpose), load_dataset(lists, purpose=purpose)
    assert listed.classes == folder.classes
    assert listed.fingerprint() == folder.fingerprint()
    assert "label_map.json" in listed.notes[0]


def test_lists_work_wherever_they_and_the_pictures_are_moved_together(coloured, lists, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for folder in (coloured, lists):
        folder.rename(tmp_path / "elsewhere" / folder.name)
    assert len(load_dataset(tmp_path / "elsewhere/lists")) == 4


def test_lists_train_and_evaluate(lists, tmp_path, capsys):
    words = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]
    assert main(["train", str(lists), "--out", str(tmp_path / "run"), *words]) == 0
    assert main(["eval", str(lists), "--weights", str(tmp_path / "run")]) == 0
    assert "voc07_11pt@0.5, 1 images" in capsys.readouterr().out


def test_the_real_lists_have_the_boxes_of_the_annotations(voc_annotations, tmp_path, capsys):
    assert main(["prepare", "--voc07", str(voc_annotations), "--out", str(tmp_path / "lists")]) == 0
    ours = load_dataset(voc_annotations / "VOC2007", purpose="test", require_images=False)
    listed = load_dataset(tmp_path / "lists", purpose="test", require_images=False)
    assert listed.fingerprint() == ours.fingerprint()


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("TRAIN_images.json", lambda v: v[:-1], "4 entries where TRAIN_images.json has 3"),
        ("TRAIN_images.json", lambda v: [1, *v[1:]], "TRAIN_images.json, entry 1: the entry is no path"),
        ("TRAIN_images.json", lambda v: {"a": 1}, "no JSON list"),
        ("TRAIN_images.json", lambda v: ["gone.jpg", *v[1:]], r"entry 1 \(.*gone.jpg\): 1 picture\(s\) are missing"),
        ("TRAIN_objects.json", lambda v: [v[0] | {"labels": []}, *v[1:]], "entry 1: the entry is not"),
        ("TRAIN_objects.json", lambda v: [v[0] | {"labels": [9]}, *v[1:]], "entry 1: the entry is not"),
        ("TRAIN_objects.json", lambda v: [v[0] | {"boxes": [[1, 2, 3]]}, *v[1:]], "entry 1: the entry is not"),
        ("TRAIN_objects.json", lambda v: [v[0] | {"boxes": [[9, 2, 3, 8]]}, *v[1:]], "object 1 .*is inverted"),
        ("label_map.json", lambda v: v | {"red": 7}, "the labels are not 1, 2, 3"),
    ],
)
def test_a_bad_list_is_named_with_its_entry(lists, name, edit, message):
    change(lists / name, edit)
    with pytest.raises(DataError, match=message):
        load_dataset(lists)


def test_what_is_no_json_or_not_there(lists):
    (lists / "TRAIN_objects.json").write_text("[")
    with pytest.raises(DataError, match=r"TRAIN_objects\.json: the list cannot be read"):
        load_dataset(lists)
    (lists / "TRAIN_objects.json").unlink()
    with pytest.raises(DataError, match=r"TRAIN_objects\.json: there is no such list"):
        load_dataset(lists)
    with pytest.raises(DataError, match="no split 'train2'"):
        load_dataset(lists, split="train2")


def test_two_forms_in_one_folder_must_be_told_apart(coloured, lists):
    for path in lists.glob("*.json"):
        path.rename(coloured / path.name)
    with pytest.raises(DataError, match="--format voc or --format lists"):
        load_dataset(coloured)
    assert len(load_dataset(coloured, format="voc")) == 4
    with pytest.raises(DataError, match="no data of the form 'lists'"):
        load_dataset(lists, format="lists")


def test_difficult_objects_and_the_policy(lists):
    change(lists / "TRAIN_objects.json", lambda v: [v[0] | {"difficulties": [1], "boxes": [[1, 2, 0, 4]]}, *v[1:]])
    kept = load_dataset(lists, on_bad_label="drop-box")
    assert kept.dropped == {"boxes": 1}
    assert not kept.annotations[0].difficult.any()
    assert np.shape(kept.annotations[0].boxes_px) == (0, 4)
    assert len(load_dataset(lists, on_bad_label="drop-image")) == 3
