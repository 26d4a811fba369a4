"""In which frame is a box: sizes that are absent or wrong, turned images, thin boxes. The numbers are those of the
cases that users had.
"""

import json

import numpy as np
import pytest

from data.cases.made import BOX, boxes, coco, obj, picture, text, turned_picture, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.data.samples import read_sample

OUTSIDE = (100, 60, 400, 300)
SHOWN_HW = (120, 90)  # of 120 x 90 stored pixels that are turned
STORED_CORNERS, STORED_COCO = (3, 3, 61, 31), (2, 2, 59, 29)  # (2, 2, 61, 31) in the stored pixels
TURNED = {3: (59, 59, 118, 88), 6: (59, 2, 88, 61), 8: (2, 59, 31, 118)}  # the same as shown


@pytest.fixture
def without_size(tmp_path):
    root = voc(tmp_path / "d", "ab", {"train": "a", "val": "b"})
    for name in "ab":
        xml(root / f"Annotations/{name}.xml", obj() + obj(corners=OUTSIDE), size=(0, 0))
    return root


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("check", "--no-pixels"),
        ("train", "--out", "r", "--preset", "light", "--init", "none"),
        ("convert", "o", "--to", "yolo"),
        ("prepare", "--out", "l"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_box_outside_of_the_pixels_is_refused_where_the_size_is_0(without_size, commands, monkeypatch, words):
    """Case 24."""
    monkeypatch.chdir(without_size.parent)
    verb, *more = words
    code, out, err = commands.run(verb, without_size, *more)
    assert code == 3
    assert "the box (100, 60, 400, 300) reaches out of the image of 120 x 90" in out + err
    assert not [path for path in ("r", "o", "l") if (without_size.parent / path).exists()]


def test_the_other_boxes_stay_where_bad_ones_are_dropped(without_size):
    """Case 24."""
    dataset = load_dataset(without_size, on_bad_label="drop-box")
    assert boxes(dataset) == {"a": [BOX]}
    assert "dropped by --on-bad-label drop-box: 1 box" in dataset.notes
    assert any(note.startswith("1 annotation has no size; that of the image is used") for note in dataset.notes)


def write_coco(root, **size):
    """As exports write it where the tool did not know the size."""
    coco(root / "annotations/instances_train.json", [(20, 20, 60, 50)], **size)
    picture(root / "images/a.jpg")


SIZES = {
    "0": lambda root: (picture(root / "JPEGImages/a.jpg"), xml(root / "Annotations/a.xml", size=(0, 0))),
    "absent": lambda root: (picture(root / "JPEGImages/a.jpg"), xml(root / "Annotations/a.xml", size=None)),
    "half": lambda root: (
        picture(root / "JPEGImages/a.jpg"),
        text(root / "Annotations/a.xml", f"<annotation><size><width>120</width></size>{obj()}</annotation>"),
    ),
    "null": lambda root: write_coco(root, width=None, height=None),
    "negative": lambda root: write_coco(root, width=-1, height=-1),
    "text": lambda root: write_coco(root, width="120", height="90"),
    "unknown": lambda root: write_coco(root, width="?", height="?"),
}


@pytest.mark.parametrize("write", SIZES.values(), ids=SIZES)
def test_the_size_is_that_of_the_pixels_where_the_file_has_none(tmp_path, write):
    """Case 24, and COCO with width null or text."""
    write(tmp_path / "d")
    (annotation,) = load_dataset(tmp_path / "d").annotations
    assert annotation.size_hw == (90, 120)
    assert annotation.boxes_px.tolist() == [list(map(float, BOX))]


@pytest.fixture
def shrunk(tmp_path):
    """Annotated at twice the size."""
    root = voc(tmp_path / "d", "ab", {"train": "a", "val": "b"})
    for name in "ab":
        xml(root / f"Annotations/{name}.xml", obj(corners=(41, 41, 160, 140)), size=(240, 180))
    return root


@pytest.mark.parametrize("verb", ["train", "eval", "convert", "prepare"])
def test_an_annotation_for_another_size_is_refused(shrunk, tmp_path, commands, verb):
    """Case 25."""
    text(tmp_path / "detections.jsonl", "")
    words = {
        "train": ("--out", tmp_path / "r", "--preset", "light", "--init", "none"),
        "eval": ("--predictions", tmp_path / "detections.jsonl"),
        "convert": (tmp_path / "o", "--to", "coco"),
        "prepare": ("--out", tmp_path / "l"),
    }[verb]
    code, _, err = commands.run(verb, shrunk, *words)
    assert code == 3
    assert "the annotation is for 240 x 180 pixels, the image has 120 x 90" in err
    assert "--on-bad-label drop-image" in err


def test_check_counts_annotations_for_another_size(shrunk, commands):
    """Case 25."""
    assert commands.rules(shrunk) == {"size": 2}
    assert commands.check(shrunk)[0] == 3


def test_only_the_image_of_another_size_is_dropped(shrunk):
    """Case 25."""
    xml(shrunk / "Annotations/c.xml")
    picture(shrunk / "JPEGImages/c.jpg")
    text(shrunk / "ImageSets/Main/train.txt", "a\nc\n")
    dataset = load_dataset(shrunk, on_bad_label="drop-image")
    assert boxes(dataset) == {"c": [BOX]}
    assert "dropped by --on-bad-label drop-image: 1 image" in dataset.notes


@pytest.mark.parametrize("orientation", [6, 8])
@pytest.mark.parametrize("form", ["voc", "coco"])
def test_boxes_of_the_stored_pixels_are_turned_with_the_image(tmp_path, commands, form, orientation):
    """Case 26."""
    root = tmp_path / "d"
    if form == "voc":
        turned_picture(root / "JPEGImages/b.jpg", orientation)
        xml(root / "Annotations/b.xml", obj(corners=STORED_CORNERS))
    else:
        turned_picture(root / "images/b.jpg", orientation)
        coco(root / "annotations/instances_val.json", [STORED_COCO], image="b.jpg")
    dataset = load_dataset(root, purpose="test")
    sample = read_sample(dataset.annotations[0])
    assert (sample.size_hw, sample.image.shape[:2]) == (SHOWN_HW, SHOWN_HW)
    assert sample.boxes_px.tolist() == [list(map(float, TURNED[orientation]))]
    assert any("turned by EXIF data, and the boxes with it" in note for note in dataset.notes)
    assert commands.rules(root) == {"turned-boxes": 1}


def test_boxes_of_a_turned_image_are_written_where_the_object_is(tmp_path, commands):
    """Case 26."""
    root = tmp_path / "d"
    turned_picture(root / "JPEGImages/b.jpg", 6)
    xml(root / "Annotations/b.xml", obj(corners=STORED_CORNERS))
    assert commands.run("convert", root, tmp_path / "y", "--to", "yolo")[0] == 0
    (line,) = next((tmp_path / "y/labels").rglob("b.txt")).read_text().splitlines()
    x1, y1, x2, y2 = TURNED[6]
    box = [float(value) for value in line.split()[1:]]
    assert box == pytest.approx([(x1 + x2) / 2 / 90, (y1 + y2) / 2 / 120, (x2 - x1) / 90, (y2 - y1) / 120])


@pytest.mark.parametrize(
    ("corners", "box"),
    [((3, 3, 118, 31), (59, 2, 88, 118)), ((3, 3, 31, 118), (2, 2, 31, 118))],
    ids=["fits the stored pixels alone", "fits the shown pixels alone"],
)
def test_without_a_size_the_frame_is_that_which_holds_the_boxes(tmp_path, corners, box):
    """Cases 24 and 26 at once."""
    turned_picture(tmp_path / "d/JPEGImages/a.jpg", 6)
    xml(tmp_path / "d/Annotations/a.xml", obj(corners=corners), size=(0, 0))
    assert boxes(load_dataset(tmp_path / "d")) == {"a": [box]}


@pytest.mark.parametrize(("orientation", "size"), [(6, None), (3, (120, 90))], ids=["no size", "upside down"])
def test_what_fits_both_frames_is_a_named_fault(tmp_path, commands, orientation, size):
    """Cases 24 and 26 at once."""
    turned_picture(tmp_path / "d/JPEGImages/a.jpg", orientation)
    xml(tmp_path / "d/Annotations/a.xml", obj(corners=STORED_CORNERS), size=size)
    code, _, err = commands.run("prepare", tmp_path / "d", "--out", tmp_path / "l")
    assert code == 3
    assert f"its EXIF data turns the image (orientation {orientation}), and the boxes fit it both" in err
    assert commands.rules(tmp_path / "d") == {"rotated": 1}


THIN = [(20, 20, 60, 50), (10, 10, 1, 30), (30, 30, 0.5, 20)]  # as COCO has them


@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_boxes_of_a_pixel_and_less_survive_a_way_there_and_back(tmp_path, commands, form):
    """Case 12."""
    coco(tmp_path / "c/annotations/instances_train.json", THIN)
    picture(tmp_path / "c/images/a.jpg")
    there, back = tmp_path / "there", tmp_path / "back"
    assert commands.run("convert", tmp_path / "c", there, "--to", form)[0] == 0
    assert commands.run("convert", there, back, "--to", "coco")[0] == 0
    found = load_dataset(back).annotations[0].boxes_px
    assert found == pytest.approx(load_dataset(tmp_path / "c").annotations[0].boxes_px, abs=1e-9)
    assert found == pytest.approx(np.array([[x, y, x + w, y + h] for x, y, w, h in THIN]), abs=1e-9)
    assert commands.rules(there)["one-pixel-box"] == 2


def test_a_box_of_one_pixel_in_voc_is_legal_and_noted(tmp_path, commands):
    """Case 12."""
    root = voc(tmp_path / "d", "a")
    xml(root / "Annotations/a.xml", obj() + obj(corners=(10, 20, 10, 30)) + obj(corners=(10, 20, 9, 30)))
    assert commands.rules(root) == {"one-pixel-box": 1, "box": 1}
    kept = load_dataset(root, on_bad_label="drop-box")
    assert boxes(kept) == {"a": [BOX, (9, 19, 10, 30)]}


def test_a_corner_at_0_is_kept_and_noted(tmp_path, commands):
    """Case 02: CVAT counts from 0."""
    root = voc(tmp_path / "d", "a")
    xml(root / "Annotations/a.xml", obj(corners=(0, 0, 59, 49)))
    assert commands.rules(root) == {"counted-from-0": 1}
    assert boxes(load_dataset(root)) == {"a": [(0, 0, 59, 49)]}


def test_predictions_are_scored_where_the_object_is_shown(tmp_path, commands):
    """Case 26: eval --predictions reads the same frame."""
    root = tmp_path / "d"
    turned_picture(root / "JPEGImages/b.jpg", 6)
    xml(root / "Annotations/b.xml", obj(corners=STORED_CORNERS))
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), TURNED[6], strict=True))
    row = {"image": "b.jpg", "width": 90, "height": 120,
           "detections": [{"label": "car", "label_id": 6, "score": 0.9, "box": box}]}  # fmt: skip
    text(tmp_path / "detections.jsonl", json.dumps(row) + "\n")
    code, out, err = commands.run("eval", root, "--predictions", tmp_path / "detections.jsonl", "--json")
    assert code == 0, err
    assert json.loads(out)["map"] == 1.0


def test_yolo_boxes_are_relative_to_the_image_as_shown(tmp_path, commands):
    """Case 26: the format has no size, so this is said."""
    root = yolo(tmp_path / "d", {"images/train": 1}, "train: images/train\nnames: [car]\n")
    turned_picture(root / "images/train/images_train0.jpg", 6)
    assert commands.rules(root) == {"turned-without-size": 1}
    ((x1, y1, x2, y2),) = boxes(load_dataset(root))["images_train0"]
    assert (x1, y1, x2, y2) == pytest.approx((15, 120 * (20 / 90), 60, 120 * (70 / 90)))
