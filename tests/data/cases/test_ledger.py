"""Every file and object is used or reported. The numbers are those of the cases that users had."""

import json
import shutil
from pathlib import Path

import pytest

from data.cases.made import BOX, LINE, boxes, coco, counts, obj, picture, text, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.errors import DataError
from ssd300.system.wording import plural

APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "
ONE_SPLIT = "train: images/train\nnames: [car]\n"


def everything_is_counted(report, root):
    """Whether the ledger of `check` has all files of the folder."""
    return sum(report["files"].values()) == sum(path.is_file() for path in Path(root).rglob("*"))


def test_annotated_images_in_no_list_are_reported(tmp_path, commands, would_train):
    """Case 14: a list from before the last images were added."""
    root = voc(tmp_path / "d", "abcdefgh", {"train": "ab", "val": "c"})
    code, report = commands.check(root)
    assert (code, report["images"]) == (0, 3)
    assert commands.rules(root) == {"unlisted-image": 5, "unlisted-annotation": 5}
    assert everything_is_counted(report, root)
    assert commands.run("check", root, "--strict")[0] == 3
    said = would_train(root).said
    assert "5 annotated images are in no split" in said
    assert "5 annotation files are in no split" in said
    for verb, *words in (("prepare", "--out", tmp_path / "l"), ("convert", tmp_path / "o", "--to", "coco")):
        code, _, err = commands.run(verb, root, *words)
        assert (code, "5 annotation files are in no split" in err) == (0, True)


def test_yolo_files_that_fit_nothing_are_reported(tmp_path, commands):
    """Case 14, in YOLO: an image without its text file, a text file without its image."""
    root = yolo(tmp_path / "d", {"images/train": 2}, ONE_SPLIT)
    picture(root / "images/train/bare.jpg")
    text(root / "labels/train/stray.txt", LINE)
    code, report = commands.check(root)
    assert (code, report["images"], report["objects"]) == (0, 3, 2)
    assert commands.rules(root) == {"annotation-without-image": 1, "no-labels-file": 1}
    assert everything_is_counted(report, root)


def test_coco_images_that_the_file_does_not_have_are_reported(tmp_path, commands):
    """Case 14, in COCO."""
    coco(tmp_path / "d/annotations/instances_train.json", [(20, 20, 60, 50)])
    picture(tmp_path / "d/images/a.jpg")
    picture(tmp_path / "d/images/b.jpg")
    assert commands.rules(tmp_path / "d") == {"image-without-annotation": 1}
    assert any("1 image is not used" in note for note in load_dataset(tmp_path / "d").notes)


@pytest.mark.parametrize(
    "rename",
    [lambda name: name.replace("é", "%C3%A9"), lambda name: "x" + name],
    ids=["url-encoded", "other names"],
)
def test_no_run_trains_on_background_alone(tmp_path, commands, rename):
    """Case 19: all labels are missing, as their names are not those of the images."""
    root = tmp_path / "e"
    for split in ("train", "val"):
        for number in range(3):
            name = f"Capture_décran_{split}{number}"
            picture(root / f"images/{split}/{name}.jpg")
            text(root / f"labels/{split}/{rename(name)}.txt", LINE)
    text(root / "data.yaml", "train: images/train\nval: images/val\nnames: ['car']\n")
    for verb, *words in (("train", "--out", tmp_path / "r"), ("check",), ("prepare", "--out", tmp_path / "l"),
                         ("convert", tmp_path / "o", "--to", "voc")):  # fmt: skip
        code, _, err = commands.run(verb, root, *words)
        assert code == 3
        assert "none of the 3 images of the split 'train' has a text file of labels" in err
        assert f"searched in {root}/labels/train" in err


def test_labels_are_found_in_folders_of_any_case(tmp_path, commands):
    """Case 19: Images and Labels."""
    root = tmp_path / "d"
    for split in ("train", "val"):
        for number in range(2):
            picture(root / f"Images/{split}/{split}{number}.jpg")
            text(root / f"Labels/{split}/{split}{number}.txt", LINE)
    text(root / "data.yaml", "train: Images/train\nval: Images/val\nnames: ['car']\n")
    assert counts(load_dataset(root)) == {"car": 2}
    assert counts(load_dataset(root, purpose="test")) == {"car": 2}
    assert commands.rules(root) == {}


@pytest.mark.parametrize("form", ["voc", "yolo", "coco"])
@pytest.mark.parametrize("words", [("train", "--out", "r"), ("train", "--out", "r", "--dry-run"), ("prepare", "--out",
                         "l")], ids=["train", "dry run", "prepare"])  # fmt: skip
def test_annotations_without_any_object_are_refused(tmp_path, commands, monkeypatch, form, words):
    """Case 19: the files are there, and empty."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "d"
    if form == "voc":
        voc(root, "ab", {"train": "ab"})
        for name in "ab":
            xml(root / f"Annotations/{name}.xml", "")
    elif form == "yolo":
        yolo(root, {"images/train": 2}, ONE_SPLIT, line="")
    else:
        coco(root / "annotations/instances_train.json", [])
        picture(root / "images/a.jpg")
    verb, *more = words
    code, _, err = commands.run(verb, root, *more)
    assert (code, "has an object to train on" in err or "there is no class" in err) == (3, True)
    assert commands.check(root)[0] == 3
    assert "no-objects" in commands.rules(root)
    assert not (tmp_path / more[1]).exists()


def test_one_missing_label_among_others_is_an_image_without_objects(tmp_path, commands):
    """Case 19: what YOLO means by it, said as a note."""
    root = yolo(tmp_path / "d", {"images/train": 3}, ONE_SPLIT)
    (root / "labels/train/images_train1.txt").unlink()
    dataset = load_dataset(root)
    assert [len(one) for one in dataset.annotations] == [1, 0, 1]
    assert any(note.startswith("1 image without a text file is read as an image without") for note in dataset.notes)
    assert commands.rules(root) == {"no-labels-file": 1}


def joined_entries(root, second=(5, 5, 60, 50)):
    """Two entries for one file, each with half of its objects."""
    for split in ("train", "val"):
        name = f"{split}_f0.jpg"
        picture(root / f"images/{name}")
        images = [{"id": n, "width": 120, "height": 90, "file_name": name} for n in (1, 2)]
        rows = [{"id": n, "image_id": n, "category_id": 1, "bbox": box, "iscrowd": 0}
                for n, box in ((1, [20, 20, 60, 50]), (2, list(second)))]  # fmt: skip
        content = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "car"}]}
        text(root / f"annotations/instances_{split}.json", json.dumps(content))
    return root


def test_entries_of_one_image_are_joined(tmp_path, commands):
    """Case 22: merged tasks of CVAT."""
    root = joined_entries(tmp_path / "d")
    for purpose, name in (("train", "train_f0"), ("test", "val_f0")):
        assert boxes(load_dataset(root, purpose=purpose)) == {name: [BOX, (5, 5, 65, 55)]}
    assert commands.rules(root) == {"image-listed-twice": 2}
    assert commands.run("convert", root, tmp_path / "o", "--to", "voc")[0] == 0
    assert boxes(load_dataset(tmp_path / "o")) == {"train_f0": [BOX, (5, 5, 65, 55)]}


def test_detections_of_a_joined_image_are_scored(tmp_path, commands):
    """Case 22: the run's own detections were refused."""
    root = joined_entries(tmp_path / "d")
    found = [{"label": "car", "score": 0.9, "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))}
             for box in (BOX, (5, 5, 65, 55))]  # fmt: skip
    row = {"image": "val_f0.jpg", "width": 120, "height": 90, "detections": found}
    text(tmp_path / "detections.jsonl", json.dumps(row) + "\n")
    code, out, err = commands.run("eval", root, "--predictions", tmp_path / "detections.jsonl", "--json")
    assert code == 0, err
    assert json.loads(out)["per_class"]["car"] == {"ap": 1.0, "objects": 2, "detections": 2}


def test_the_same_object_of_both_entries_is_reported(tmp_path, commands):
    """Case 22, with an object that both tasks have."""
    root = joined_entries(tmp_path / "d", second=(20, 20, 60, 50))
    assert commands.rules(root) == {"image-listed-twice": 2, "duplicate-object": 2}


ODD = {
    "polygon": ("<object><name>car</name><polygon><x1>21</x1><y1>21</y1></polygon></object>", "no <bndbox>, but <poly"),
    "rotated": ("<object><name>car</name><robndbox><cx>5</cx></robndbox></object>", "no <bndbox>, but <robndbox>"),
    "two boxes": (obj().replace("</object>", "<bndbox><xmin>1</xmin></bndbox></object>"), "2 <bndbox>"),
    "no name": (obj(name=" "), "no name"),
    "no number": (obj(corners=("a", 1, 2, 3)), "missing or not a number"),
}


@pytest.mark.parametrize(("odd", "message"), ODD.values(), ids=ODD)
def test_objects_that_are_not_as_voc_has_them_are_faults(tmp_path, commands, odd, message):
    """Case 36."""
    root = voc(tmp_path / "d", "a")
    xml(root / "Annotations/a.xml", obj() + odd)
    with pytest.raises(DataError, match=message):
        load_dataset(root)
    dataset = load_dataset(root, on_bad_label="drop-box")
    assert (boxes(dataset), dataset.dropped) == ({"a": [BOX]}, {"boxes": 1})
    code, report = commands.check(root)
    assert (code, report["objects"]) == (3, 2)
    assert [problem["object"] for problem in report["problems"]] == [2]


READ = {
    "true": (obj(extra="<difficult>true</difficult>"), [True]),
    "Difficult": (obj(extra="<Difficult>1</Difficult>"), [True]),
    "unspecified": (obj(extra="<difficult>Unspecified</difficult>"), [False]),
    "<objects>": (f"<objects>{obj()}</objects>", [False]),
    "<Object>": (obj().replace("object>", "Object>"), [False]),
    "twice": (obj() * 2, [False, False]),
}


@pytest.mark.parametrize(("objects", "difficult"), READ.values(), ids=READ)
def test_other_spellings_of_voc_are_read(tmp_path, commands, objects, difficult):
    """Case 36."""
    root = voc(tmp_path / "d", "a")
    xml(root / "Annotations/a.xml", objects)
    (annotation,) = load_dataset(root).annotations
    assert annotation.difficult.tolist() == difficult
    assert boxes(load_dataset(root)) == {"a": [BOX] * len(difficult)}
    assert commands.rules(root) == ({"duplicate-object": 1} if len(difficult) > 1 else {})


FOREIGN = {
    "CVAT's own": '<annotations><image name="b.jpg"><box label="car" xtl="20" ytl="20"/></image></annotations>',
    "a web page": "<html><body>404 Not Found</body></html>",
    "no XML": "404: Not Found",
    "empty": "",
    "boxes of no object": "<annotation><item><bndbox><xmin>1</xmin></bndbox></item></annotation>",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_xml_file_is_a_fault_and_not_background(tmp_path, commands, content):
    """Cases 36 and 62."""
    root = voc(tmp_path / "d", "abc", {"train": "abc"})
    text(root / "Annotations/b.xml", content)
    code, report = commands.check(root)
    assert (code, report["images"], report["objects"]) == (3, 3, 2)
    assert commands.rules(root) == {"annotation": 1}
    code, _, err = commands.run("prepare", root, "--out", tmp_path / "l")
    assert (code, "1 bad label" in err, "b.xml" in err) == (3, True, True)
    dataset = load_dataset(root, on_bad_label="drop-image")
    assert (set(boxes(dataset)), dataset.dropped) == ({"a", "c"}, {"images": 1})


def test_namespaces_and_the_case_of_tags_are_read(tmp_path, commands):
    """Case 62."""
    root = voc(tmp_path / "d", "abc", {"train": "abc"})
    plain = (root / "Annotations/b.xml").read_text()
    text(root / "Annotations/b.xml", plain.replace("<annotation>", '<annotation xmlns="http://x.org/voc">'))
    text(root / "Annotations/c.xml", plain.replace("object>", "Object>").replace("annotation>", "Annotation>"))
    assert boxes(load_dataset(root)) == {name: [BOX] for name in "abc"}
    assert commands.rules(root) == {}


@pytest.fixture
def faulty_yolo(tmp_path):
    root = yolo(tmp_path / "y", {"images/train": 4}, ONE_SPLIT)
    lines = [LINE, LINE + "7 .5 .5 .2 .2\n", LINE.replace("0 ", "car ", 1), LINE + "9 .5 .5 .2 .2\n0 .5 .5\n"]
    for number, content in enumerate(lines):
        text(root / f"labels/train/images_train{number}.txt", content)
    return root


def test_all_faults_of_yolo_are_listed_at_once(faulty_yolo, commands):
    """Case 51: class numbers out of range, text in a line, too few columns."""
    code, report = commands.check(faulty_yolo)
    assert (code, report["images"], report["objects"], report["classes"]) == (3, 4, 7, {"car": {"train": 4}})
    assert [(Path(one["file"]).stem[-1], one["object"]) for one in report["problems"] if one["rule"] == "object"] == [
        ("1", 2), ("2", 1), ("3", 2),
    ]  # fmt: skip
    assert commands.rules(faulty_yolo) == {"object": 3, "box": 1}
    with pytest.raises(DataError, match=r"4 bad labels"):
        load_dataset(faulty_yolo)


@pytest.mark.parametrize(("policy", "images", "objects", "dropped"), [("drop-box", 4, 3, "4 boxes"),
                         ("drop-image", 1, 1, "3 images")])  # fmt: skip
def test_faults_are_dropped_as_the_policy_says(faulty_yolo, tmp_path, commands, policy, images, objects, dropped):
    """Case 51."""
    code, out, err = commands.run("convert", faulty_yolo, tmp_path / "o", "--to", "voc", "--on-bad-label", policy)
    assert (code, out.splitlines()[0]) == (0, f"train: {plural(images, 'image')}, {plural(objects, 'object')}")
    assert f"dropped by --on-bad-label {policy}: {dropped}" in err
    assert commands.check(tmp_path / "o")[1]["objects"] == objects


def test_litter_is_no_data_and_reported(tmp_path, commands, would_train):
    """Case 53: macOS and Jupyter."""
    root = voc(tmp_path / "d", "ab")
    for name in ("Annotations/._a.xml", "JPEGImages/._a.jpg"):
        (root / name).write_bytes(APPLE)
    (root / ".DS_Store").write_bytes(b"")
    picture(root / "JPEGImages/.ipynb_checkpoints/a-checkpoint.jpg")
    shutil.copy(root / "Annotations/a.xml", root / "Annotations/b copy.txt")
    code, report = commands.check(root)
    assert (code, report["images"]) == (0, 2)
    assert commands.rules(root) == {"litter": 4}
    assert everything_is_counted(report, root)
    run = would_train(root)
    assert boxes(run.train) == {name: [BOX] for name in "ab"}
    assert "4 files of the operating system or a notebook are ignored" in run.said


@pytest.mark.parametrize("stray", [".ipynb_checkpoints/images_train0-checkpoint.jpg", "._images_train0.jpg"])
@pytest.mark.parametrize("more", [(), ("--check-images",)])
def test_litter_among_yolo_images_is_no_image(tmp_path, commands, stray, more):
    """Case 53."""
    root = yolo(tmp_path / "y", {"images/train": 2}, ONE_SPLIT)
    (root / "images/train" / stray).parent.mkdir(exist_ok=True)
    (root / "images/train" / stray).write_bytes(APPLE)
    assert commands.check(root)[1]["images"] == 2
    assert commands.rules(root) == {"litter": 1}
    code, out, err = commands.run("prepare", root, "--out", tmp_path / "l", *more)
    assert (code, out.splitlines()[1].split()) == (0, ["images", "2", "0"])
    assert "1 file of the operating system or a notebook is ignored" in err


def test_annotated_yolo_images_that_no_entry_names_are_reported(tmp_path, commands):
    """Case 61, with an entry without a folder: its images vanished."""
    root = yolo(tmp_path / "d", {"images/train": 2, "images/val": 2}, "train: images/train\nval:\nnames: [car]\n")
    code, report = commands.check(root)
    assert (code, report["images"]) == (0, 2)
    assert commands.rules(root) == {"unlisted-image": 2, "unlisted-annotation": 2}
    assert everything_is_counted(report, root)
    assert any("2 annotated images are in no split" in note for note in load_dataset(root).notes)


def test_a_second_description_or_file_of_annotations_is_said(tmp_path, commands):
    """Case 14: two of them in one folder, of which one is read."""
    root = yolo(tmp_path / "y", {"images/train": 1}, ONE_SPLIT)
    text(root / "other.yaml", "train: images/train\nnames: [bus]\n")
    assert load_dataset(root).notes[0] == "y: YOLO (data.yaml, not other.yaml), split 'train'"
    assert load_dataset(root / "other.yaml").classes == ("bus",)
    coco(tmp_path / "c/annotations/instances_train.json", [(20, 20, 60, 50)])
    coco(tmp_path / "c/more.json", [(20, 20, 60, 50)])
    picture(tmp_path / "c/images/a.jpg")
    assert commands.rules(tmp_path / "c") == {"unlisted-annotation": 1}


def test_a_file_without_annotations_gives_way_to_val(tmp_path):
    """Case 10, in COCO: image_info_test-dev2017.json lists images alone."""
    for split in ("train", "val"):
        coco(tmp_path / f"d/annotations/{split}.json", [(20, 20, 60, 50)], image=f"{split}.jpg")
        picture(tmp_path / f"d/images/{split}.jpg")
    picture(tmp_path / "d/images/test.jpg")
    image = {"id": 1, "width": 120, "height": 90, "file_name": "test.jpg"}
    bare = {"images": [image], "categories": [{"id": 1, "name": "car"}]}
    text(tmp_path / "d/annotations/test.json", json.dumps(bare))
    dataset = load_dataset(tmp_path / "d", purpose="test")
    assert dataset.split == "val"
    assert any("the split 'test' cannot be used" in note for note in dataset.notes)


@pytest.mark.parametrize("mark", [1, True, "1", "true"])
def test_marks_of_coco_are_read_in_any_form(tmp_path, mark):
    """Case 36, in COCO."""
    file = coco(tmp_path / "c/annotations/instances_train.json", [(20, 20, 60, 50)] * 2)
    content = json.loads(file.read_text())
    content["annotations"][0]["iscrowd"] = content["annotations"][1]["difficult"] = mark
    text(file, json.dumps(content))
    picture(tmp_path / "c/images/a.jpg")
    (annotation,) = load_dataset(tmp_path / "c").annotations
    assert (annotation.crowd.tolist(), annotation.difficult.tolist()) == ([True, False], [True, True])


@pytest.mark.parametrize("content", [b"", b"<html>404</html>"], ids=["empty", "a web page"])
@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_files_that_are_no_images_are_said_where_nothing_is_decoded(tmp_path, commands, form, content):
    """Case 62, for the image beside the XML."""
    root = voc(tmp_path / "d", "ab", {"train": "ab"})
    (root / "JPEGImages/b.jpg").write_bytes(content)
    code, _, err = commands.run("convert", root, tmp_path / "o", "--to", form)
    assert (code, "1 image cannot be read; first" in err) == (0, True)
    assert commands.rules(root) == {"image": 1}
    assert commands.check(root, "--no-pixels")[0] == 3


def test_an_image_without_its_xml_is_an_error_in_every_command(tmp_path, commands):
    """Case 14, without a list: nothing says whether it shows an object."""
    root = voc(tmp_path / "d", "abc")
    (root / "Annotations/c.xml").unlink()
    code, report = commands.check(root)
    assert (code, commands.rules(root)) == (3, {"annotation": 1})
    assert everything_is_counted(report, root)
    code, _, err = commands.run("prepare", root, "--out", tmp_path / "l")
    assert (code, "there is no annotation file for 1 image" in err) == (3, True)
    text(root / "ImageSets/Main/train.txt", "a\nb\n")
    assert len(load_dataset(root)) == 2
    assert commands.rules(root) == {"image-without-annotation": 1}
