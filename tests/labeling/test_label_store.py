"""Saving in all formats: what is written reads back, what is not touched stays, and nobody's work is overwritten."""

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ssd300.data import load_dataset
from ssd300.errors import DataError, UsageError
from ssd300.labeling.label_store import LabelStore, Sent
from ssd300.labeling.objects import NEW, ConflictError, LabeledObject
from ssd300.labeling.opening import open_labels

SAVES = 5  # of each process
BOX = LabeledObject(name="cat", box_px=(3.0, 4.0, 20.0, 30.0), difficult=True)


def resent(now, **changes):
    """What a page sends that read these labels; `changes` are objects by their place, None for one that is removed."""
    rows = [Sent(object=one.object, key=key) for one, key in zip(now.labels.objects, now.keys, strict=True)]
    for place, changed in changes.items():
        place = int(place.removeprefix("at"))
        rows[place] = None if changed is None else replace(rows[place], object=changed)
    return [one for one in rows if one is not None]


def save(store, number, sent, now=None, exists=True):
    now = now or store.read(number)
    return store.save(number, sent, base=now.version, exists=exists)


def test_boxes_on_plain_images_become_a_dataset_that_training_reads(photos, store_of):
    store = store_of(photos)
    assert [one.exists for one in store.summaries] == [False] * 3
    save(store, 0, [Sent(object=BOX)])
    save(store, 1, [])
    with pytest.raises(DataError, match="no annotation file for 1 image"):
        load_dataset(photos)
    dataset = load_dataset(photos, on_bad_label="drop-image")
    assert "1 image without an annotation file is left out" in dataset.notes
    assert [(one.image_id, len(one)) for one in dataset.annotations] == [("img0", 1), ("img1", 0)]
    assert dataset.annotations[0].boxes_px.tolist() == [[3, 4, 20, 30]]
    assert dataset.annotations[0].difficult.tolist() == [True]
    assert [one.exists for one in store_of(photos).summaries] == [True, True, False]
    assert not list(photos.glob(".*"))


def test_images_in_several_folders_get_their_files_where_training_finds_them(photos, store_of):
    (photos / "more").mkdir()
    (photos / "img1.png").rename(photos / "more/img0.png")
    store = store_of(photos)
    for number in range(3):
        save(store, number, [Sent(object=BOX)])
    assert sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.xml")) == [
        "Annotations/img0.xml", "Annotations/img2.xml", "Annotations/more/img0.xml",
    ]  # fmt: skip
    assert len(load_dataset(photos)) == 3


def test_without_labels_again_there_is_no_file(photos, store_of):
    store = store_of(photos)
    first = store.read(0)
    saved = save(store, 0, [Sent(object=BOX)])
    gone = save(store, 0, [], saved, exists=False)
    assert (gone.version, gone.labels, first.version) == (NEW, first.labels, NEW)
    assert not list(photos.glob("*.xml"))


@pytest.mark.slow
def test_a_file_that_nobody_touches_keeps_its_bytes(cells, store_of):
    before = {path: path.read_bytes() for path in cells.rglob("*.xml")}
    store = store_of(cells)
    for number in range(len(store.files.images)):
        now = store.read(number)
        if now.labels.exists:
            assert save(store, number, resent(now), now).version == now.version
    assert {path: path.read_bytes() for path in cells.rglob("*.xml")} == before


def test_one_changed_number_is_one_changed_number(cells, store_of):
    store = store_of(cells)
    number = next(number for number, one in enumerate(store.summaries) if one.exists)
    now, place = store.read(number), store.files.place(store.files.images[number])
    before = place.read_bytes()
    item = now.labels.objects[1].object
    xmin, *rest = item.box_px
    saved = save(store, number, resent(now, at1=replace(item, box_px=(xmin + 1, *rest))), now)
    lines = zip(before.splitlines(), place.read_bytes().splitlines(), strict=True)
    assert [(old.strip(), new.strip()) for old, new in lines if old != new] == [
        (f"<xmin>{xmin + 1:.0f}</xmin>".encode(), f"<xmin>{xmin + 2:.0f}</xmin>".encode())
    ]
    save(store, number, resent(saved, at1=item), saved)
    assert place.read_bytes() == before


def test_a_removed_object_comes_back_with_all_that_it_had(cells, store_of):
    store = store_of(cells)
    number = next(number for number, one in enumerate(store.summaries) if one.exists)
    now, place = store.read(number), store.files.place(store.files.images[number])
    before = place.read_bytes()
    saved = save(store, number, resent(now, at1=None), now)
    assert len(saved.keys) == len(now.keys) - 1
    rows = resent(now)
    keys = iter(saved.keys)
    rows = [one if place == 1 else replace(one, key=next(keys)) for place, one in enumerate(rows)]
    save(store, number, rows, saved)
    assert place.read_bytes() == before


def test_labels_that_changed_behind_the_page_are_not_overwritten(cells, store_of):
    store = store_of(cells)
    number = next(number for number, one in enumerate(store.summaries) if one.exists)
    now, place = store.read(number), store.files.place(store.files.images[number])
    place.write_bytes(theirs := place.read_bytes().replace(b"RBC", b"cell", 1))
    with pytest.raises(ConflictError, match="changed by another"):
        save(store, number, resent(now, at0=None), now)
    assert place.read_bytes() == theirs
    place.unlink()
    with pytest.raises(ConflictError):
        save(store, number, resent(now), now)
    assert not place.exists()


def test_others_changes_are_seen(cells, store_of):
    store, other = store_of(cells), store_of(cells)
    revision = store.revision
    save(other, 0, [Sent(object=replace(BOX, name="new"))], exists=True)
    store.look()
    changed = store.changed_since(revision)
    assert [(number, dict(one.classes)) for number, one in changed.items()] == [(0, {"new": 1})]
    assert store.changed_since(store.revision) == {}


def _save_many(folder: Path, name: str) -> None:
    store = LabelStore(open_labels(folder))
    done = 0
    while done < SAVES:
        now = store.read(0)
        try:
            store.save(0, [*resent(now), Sent(object=replace(BOX, name=name))], base=now.version, exists=True)
            done += 1
        except ConflictError:
            continue


def test_two_processes_lose_nothing(photos, store_of):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_save_many, args=(photos, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert dict(store_of(photos).summaries[0].classes) == {"a": SAVES, "b": SAVES}


@pytest.mark.slow
def test_a_class_is_renamed_in_all_files_and_nowhere_else(cells, store_of):
    store = store_of(cells)
    before = {path: path.read_bytes() for path in cells.rglob("*.xml")}
    count = store.rename("RBC", "red <cell>")
    assert count == sum(b"<name>RBC</name>" in content for content in before.values())
    for path, content in before.items():
        assert path.read_bytes() == content.replace(b"<name>RBC</name>", b"<name>red &lt;cell&gt;</name>")


def test_boxes_of_a_turned_image_are_those_that_are_seen(photos, store_of):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown 40 wide and 60 high
    Image.open(photos / "img0.png").save(photos / "img0.jpg", exif=exif)
    (photos / "img0.png").unlink()
    (photos / "img0.xml").write_text(
        "<annotation><size><width>60</width><height>40</height></size><object><name>cat</name><bndbox><xmin>1</xmin>"
        "<ymin>1</ymin><xmax>10</xmax><ymax>5</ymax></bndbox></object></annotation>"
    )
    store = store_of(photos)
    now = store.read(0)
    assert now.labels.objects[0].object.box_px == (35, 0, 40, 10)
    moved = replace(now.labels.objects[0].object, box_px=(34.0, 0.0, 39.0, 10.0))
    saved = save(store, 0, [*resent(now, at0=moved), Sent(object=replace(BOX, box_px=(0.0, 0.0, 4.0, 6.0)))], now)
    assert [one.object.box_px for one in saved.labels.objects] == [(34, 0, 39, 10), (0, 0, 4, 6)]
    text = (photos / "img0.xml").read_text()
    assert "<xmin>1</xmin><ymin>2</ymin><xmax>10</xmax><ymax>6</ymax>" in text
    assert load_dataset(photos, on_bad_label="drop-image").annotations[0].boxes_px.tolist() == [
        [34, 0, 39, 10],
        [0, 0, 4, 6],
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"<annotation>", "not readable XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "not readable XML"),
        (b"<html></html>", "not <annotation>"),
        (b"<annotation><size><width>9</width><height>9</height></size></annotation>", "for 9 x 9 pixels"),
        (b"<annotation><object><object></object></object></annotation>", "side by side"),
    ],
)
def test_a_file_that_cannot_be_edited_says_why_and_stays(photos, store_of, content, fault):
    (photos / "img0.xml").write_bytes(content)
    (photos / "img1.xml").write_bytes(b"<annotation></annotation>")
    store = store_of(photos)
    now = store.read(0)
    assert fault in now.labels.fault
    assert fault in store.summaries[0].fault
    with pytest.raises(DataError):
        save(store, 0, [Sent(object=BOX)], now)
    assert (photos / "img0.xml").read_bytes() == content


def test_an_object_without_a_usable_box_is_kept_or_removed(photos, store_of):
    bad = "<object><name>a</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>"
    (photos / "img0.xml").write_text(f"<annotation>{bad}</annotation>")
    store = store_of(photos)
    now = store.read(0)
    assert now.labels.objects[0].object.box_px is None
    saved = save(store, 0, [*resent(now), Sent(object=BOX)], now)
    assert bad in (photos / "img0.xml").read_text()
    save(store, 0, resent(saved, at0=None), saved)
    assert bad not in (photos / "img0.xml").read_text()


def test_a_folder_of_its_own_for_labels_leaves_the_others_alone(cells, tmp_path, store_of):
    before = {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()}
    store = store_of(cells, out=tmp_path / "mine")
    number = next(number for number, one in enumerate(store.summaries) if one.exists)
    now = store.read(number)
    save(store, number, resent(now, at0=None), now)
    assert {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()} == before
    assert len(load_dataset(tmp_path / "mine").annotations[0]) == len(now.keys) - 1


def test_images_that_would_share_a_file_are_told_apart(photos, store_of):
    Image.open(photos / "img0.png").save(photos / "img0.jpg")
    store = store_of(photos)
    assert "same name" in store.summaries[1].fault
    assert store.summaries[0].fault == ""


@pytest.fixture
def coco(photos) -> Path:
    file = photos / "labels.json"
    content = {
        "info": {"by": "né"}, "licenses": [],
        "images": [{"id": 7 + n, "file_name": f"img{n}.png", "width": 60, "height": 40, "x": [n]} for n in range(3)],
        "categories": [{"id": 3, "name": "cat", "supercategory": "pet"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 20], "area": 150.5, "iscrowd": 0,
             "segmentation": [[1, 2, 11, 2, 11, 22]], "mine": {"a": 1.50}},
            {"id": 9, "image_id": 8, "category_id": 3, "bbox": [0, 0, 5, 5], "area": 25},
            {"id": 5, "image_id": 7, "category_id": 3, "bbox": [5, 5, 5, 5], "area": 25},
        ],
    }  # fmt: skip
    file.write_text(json.dumps(content, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def test_coco_annotations_are_changed_one_by_one(coco, store_of):
    before, text = json.loads(coco.read_text()), coco.read_text()
    store = store_of(coco.parent)
    now = store.read(0)
    moved = replace(now.labels.objects[0].object, box_px=(2.0, 2.0, 22.0, 22.0))
    saved = save(store, 0, [*resent(now, at0=moved), Sent(object=replace(BOX, difficult=False))], now)
    after = json.loads(coco.read_text())
    first, other, second, new = after["annotations"]
    assert (other, second) == (before["annotations"][1], before["annotations"][2])
    assert first == {**before["annotations"][0], "bbox": [2, 2, 20, 20], "area": 400,
                     "segmentation": [[2, 2, 22, 2, 22, 22]]}  # fmt: skip
    assert (new["id"], new["image_id"], new["bbox"]) == (10, 7, [3, 4, 17, 26])
    assert {key: after[key] for key in after if key != "annotations"} == {
        key: before[key] for key in before if key != "annotations"
    }
    back = save(store, 0, [Sent(object=now.labels.objects[0].object, key=now.keys[0]), *resent(saved)[1:2]], saved)
    assert coco.read_text() == text
    assert len(back.keys) == 2


def test_a_coco_image_without_objects_can_be_labeled(coco, store_of):
    text = coco.read_text()
    store = store_of(coco.parent)
    assert [one.exists for one in store.summaries] == [True, True, False]
    saved = save(store, 2, [])
    assert store_of(coco.parent).summaries[2].exists
    save(store, 2, [], saved, exists=False)
    assert coco.read_text() == text


def test_two_pages_on_two_images_of_one_coco_file_do_not_disturb_each_other(coco, store_of):
    store, other = store_of(coco.parent), store_of(coco.parent)
    mine, theirs = store.read(0), other.read(1)
    save(store, 0, resent(mine, at0=None), mine)
    save(other, 1, resent(theirs, at0=None), theirs)
    assert [one["id"] for one in json.loads(coco.read_text())["annotations"]] == [5]
    store.look()
    assert dict(store.summaries[1].classes) == {}


def test_coco_classes_are_added_and_renamed(coco, store_of):
    store = store_of(coco.parent)
    store.files.add_class("dog")
    store.files.rename_class("cat", "tiger")
    entries = json.loads(coco.read_text())["categories"]
    assert entries == [
        {"id": 3, "name": "tiger", "supercategory": "pet"},
        {"id": 4, "name": "dog", "supercategory": ""},
    ]
    save(store, 2, [Sent(object=replace(BOX, name="dog", difficult=False))])
    assert json.loads(coco.read_text())["annotations"][-1]["category_id"] == 4


@pytest.fixture
def yolo(photos) -> Path:
    (photos / "data.yaml").write_text("# mine\nnc: 2 # of them\nnames:\n  - cat\n  - 'dog'\ntrain: .\n")
    (photos / "img0.txt").write_bytes(b"0 0.5 0.50 0.2 0.2\r\n\r\n1 0.1 0.1 0.1 0.3 0.3 0.1\r\n0 .25 .25 .5 .5")
    return photos


def test_yolo_lines_are_changed_one_by_one(yolo, store_of):
    before = (yolo / "img0.txt").read_bytes()
    store = store_of(yolo)
    now = store.read(0)
    assert [one.object.name for one in now.labels.objects] == ["cat", "dog", "cat"]
    assert save(store, 0, resent(now), now).version == now.version
    dog = now.labels.objects[1].object
    assert dog.box_px == pytest.approx((6, 4, 18, 12))
    moved = replace(dog, box_px=(12.0, 4.0, 24.0, 12.0))
    save(store, 0, [*resent(now, at1=moved), Sent(object=replace(BOX, difficult=False))], now)
    first, blank, polygon, last, new = (yolo / "img0.txt").read_bytes().split(b"\r\n")[:5]
    assert [first, blank, last] == [before.split(b"\r\n")[place] for place in (0, 1, 3)]
    assert [float(value) for value in polygon.split()] == pytest.approx([1, 0.2, 0.1, 0.2, 0.3, 0.4, 0.1])
    assert [float(value) for value in new.split()] == pytest.approx([0, 11.5 / 60, 17 / 40, 17 / 60, 26 / 40])
    assert load_dataset(yolo).annotations[0].boxes_px.tolist()[3] == pytest.approx([3, 4, 20, 30])


def test_yolo_classes_are_added_and_renamed_in_the_file_as_it_is(yolo, store_of):
    store = store_of(yolo)
    store.files.add_class("red: fish")
    store.files.rename_class("cat", "tiger")
    assert (yolo / "data.yaml").read_text() == (
        '# mine\nnc: 3 # of them\nnames:\n  - "tiger"\n  - \'dog\'\n  - "red: fish"\ntrain: .\n'
    )
    assert store.files.classes == ("tiger", "dog", "red: fish")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("names: [cat, dog]\ntrain: .\n", 'names: [cat, dog, "fox"]\ntrain: .\n'),
        ("names:\n  0: cat\n  1: dog\ntrain: .\n", 'names:\n  0: cat\n  1: dog\n  2: "fox"\ntrain: .\n'),
        ("names: {0: cat, 1: dog}\ntrain: .", 'names: {0: cat, 1: dog, 2: "fox"}\ntrain: .'),
        ("train: .\nnames:\n- cat\n- dog # last", 'train: .\nnames:\n- cat\n- dog\n- "fox" # last'),
    ],
)
def test_a_list_of_names_in_any_layout_grows(yolo, store_of, before, after):
    (yolo / "data.yaml").write_text(before)
    store_of(yolo).files.add_class("fox")
    assert (yolo / "data.yaml").read_text() == after


def test_options_that_a_format_does_not_have_are_refused(yolo, coco, tmp_path):
    with pytest.raises(DataError, match="more than one dataset"):
        open_labels(yolo)
    with pytest.raises(UsageError, match="--out is for images without labels"):
        open_labels(yolo, format="yolo", out=tmp_path / "new")
    with pytest.raises(UsageError, match="--classes"):
        open_labels(coco, classes=["a"])


@pytest.mark.parametrize("what", ["missing", "empty", "file"])
def test_what_cannot_be_labeled_says_what_to_name(tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError) as refused:
        open_labels(tmp_path / what)
    assert refused.value.fix


def test_a_folder_that_cannot_be_written_is_told_before_the_first_box(photos, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, _mode: path != photos)
    with pytest.raises(UsageError, match="cannot be written") as refused:
        open_labels(photos)
    assert "--out" in (refused.value.fix or "")
    assert open_labels(photos, out=tmp_path / "labels").home == tmp_path / "labels"
