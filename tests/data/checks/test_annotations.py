import json
import shutil

import numpy as np
import pytest
from PIL import Image

from conftest import object_xml, write_voc
from ssd300.cli import main
from ssd300.data.checks.coverage import best_ious
from ssd300.model.boxes import cxcywh_to_xyxy
from ssd300.model.default_boxes import PAPER, make_default_boxes

GOOD = object_xml("red", (20, 20, 90, 90))


@pytest.fixture
def data(tmp_path):
    """Six images that differ, all well labelled."""
    objects = dict.fromkeys("abcdef", GOOD)
    root = write_voc(tmp_path / "data", objects, {"trainval": list("abcd"), "test": list("ef")})
    random = np.random.default_rng(0)
    for name in objects:
        pixels = random.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"JPEGImages/{name}.jpg")
    return root


def label(root, name, objects, size="<size><width>160</width><height>120</height></size>"):
    (root / f"Annotations/{name}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def run(capsys, *words):
    code = main(["check", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_good_data_has_no_problems_and_its_objects_are_counted(data, capsys):
    code, said = run(capsys, data)
    assert (code, said["problems"]) == (0, [])
    assert (said["images"], said["objects"]) == (6, 6)
    assert said["classes"] == {"red": {"trainval": 4, "test": 2}}
    assert said["coverage"]["classes"]["red"] == {"objects": 6, "covered": 6, "share": 1.0}
    assert sum(size["objects"] for size in said["coverage"]["sizes_px"].values()) == 6
    assert main(["check", str(data)]) == 0
    assert "no problems found" in capsys.readouterr().out


def turned(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(root / "JPEGImages/a.jpg") as image:
        image.save(root / "JPEGImages/a.jpg", exif=exif)


SPOILT = {
    "box": (lambda d: label(d, "a", GOOD + object_xml("red", (50, 5, 20, 60))), "error", "a.xml", 2),
    "annotation": (lambda d: (d / "Annotations/a.xml").write_text("<annotation>"), "error", "a.xml", None),
    "annotation ": (lambda d: (d / "Annotations/a.xml").unlink(), "error", "a.xml", None),
    "missing-image": (lambda d: (d / "JPEGImages/a.jpg").unlink(), "error", "a.xml", None),
    "image": (lambda d: (d / "JPEGImages/a.jpg").write_bytes(b"text"), "error", "a.jpg", None),
    "animated": (
        lambda d: Image.new("L", (160, 120)).save(
            d / "JPEGImages/a.jpg", "GIF", save_all=True, append_images=[Image.new("L", (160, 120), 99)]
        ), "warning", "a.jpg", None,
    ),
    "size": (
        lambda d: label(d, "a", GOOD, "<size><width>200</width><height>150</height></size>"), "error", "a.jpg", None,
    ),
    "rotated": (turned, "error", "a.jpg", None),
    "duplicate-across-splits": (
        lambda d: shutil.copy(d / "JPEGImages/a.jpg", d / "JPEGImages/e.jpg"), "error", "e.jpg", None,
    ),
    "duplicate": (lambda d: shutil.copy(d / "JPEGImages/a.jpg", d / "JPEGImages/b.jpg"), "warning", "b.jpg", None),
    "class-spelling": (lambda d: label(d, "a", object_xml("Red ", (20, 20, 90, 90))), "warning", "a.xml", None),
    "tiny-box": (lambda d: label(d, "a", GOOD + object_xml("red", (20, 20, 21, 90))), "warning", "a.xml", 2),
    "absent-class": (lambda d: label(d, "a", GOOD + object_xml("blue", (20, 20, 90, 90))), "warning", "", None),
    "uncovered-class": (
        lambda d: [label(d, name, GOOD + object_xml("bar", (1, 60, 160, 66))) for name in "ae"], "warning", "", None,
    ),
    "image-without-annotation": (
        lambda d: Image.new("RGB", (9, 9)).save(d / "JPEGImages/z.jpg"), "warning", "z.jpg", None,
    ),
    "no-objects": (lambda d: [label(d, name, "") for name in "abcdef"], "error", "", None),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_each_rule(data, capsys, rule):
    spoil, level, file, number = SPOILT[rule]
    spoil(data)
    code, said = run(capsys, data)
    found = [problem for problem in said["problems"] if problem["rule"] == rule.strip()]
    assert found, said["problems"]
    assert found[0]["level"] == level
    assert found[0]["file"].endswith(file)
    assert found[0]["object"] == number
    assert found[0]["message"]
    assert found[0]["fix"]
    assert code == (3 if level == "error" else 0)
    assert main(["check", str(data), "--strict"]) == 3
    shown = capsys.readouterr().out
    assert f"{level}: {rule.strip()}, {len(found)} time(s)" in shown


@pytest.mark.parametrize(
    ("form", "stray", "rule"),
    [("coco", "z.jpg", "image-without-annotation"), ("yolo", "z.txt", "annotation-without-image")],
)
def test_files_that_belong_to_nothing_in_coco_and_yolo(data, tmp_path, capsys, form, stray, rule):
    folder = tmp_path / form
    assert main(["convert", str(data), str(folder), "--to", form]) == 0
    capsys.readouterr()
    assert not run(capsys, folder, "--no-pixels")[1]["problems"]
    places = {path.parent for path in folder.rglob("*/*") if path.suffix == stray[1:]}
    for place in places:
        for name in (stray, "classes.txt", "readme.md"):
            (place / name).write_text("0 .5 .5 .1 .1")
    found = [(problem["rule"], problem["file"]) for problem in run(capsys, folder, "--no-pixels")[1]["problems"]]
    assert sorted(found) == sorted((rule, str(place / stray)) for place in places)
    assert len(found) == 2


def test_all_problems_are_told_at_once_and_nothing_is_changed(data, capsys):
    (data / "Annotations/a.xml").unlink()
    (data / "JPEGImages/b.jpg").write_bytes(b"text")
    label(data, "c", object_xml("red", (9, 9, 1, 1)))
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    _, said = run(capsys, data)
    assert {"annotation", "image", "box"} <= {problem["rule"] for problem in said["problems"]}
    assert before == {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert run(capsys, data, "--no-pixels")[1]["images"] == 6


def test_coverage_is_that_of_every_default_box():
    random = np.random.default_rng(0)
    default_boxes = cxcywh_to_xyxy(make_default_boxes(PAPER)).double().numpy()
    low = random.uniform(0, 0.7, (20, 2))
    boxes = np.concatenate([low, low + random.uniform(0.02, 0.3, (20, 2))], axis=1)
    literal = []
    for box in boxes:
        width = np.clip(np.minimum(box[2], default_boxes[:, 2]) - np.maximum(box[0], default_boxes[:, 0]), 0, None)
        height = np.clip(np.minimum(box[3], default_boxes[:, 3]) - np.maximum(box[1], default_boxes[:, 1]), 0, None)
        areas = (default_boxes[:, 2] - default_boxes[:, 0]) * (default_boxes[:, 3] - default_boxes[:, 1])
        literal.append((width * height / (areas + (box[2:] - box[:2]).prod() - width * height)).max())
    np.testing.assert_allclose(best_ious(boxes, default_boxes), literal, rtol=1e-4)
    np.testing.assert_allclose(best_ious(default_boxes[:300], default_boxes), 1, rtol=1e-4)
    assert best_ious(np.zeros((0, 4)), default_boxes).shape == (0,)


def test_bccds_two_boxes_without_size(bccd, capsys):
    code, said = run(capsys, bccd, "--no-pixels")
    assert code == 3
    boxes = [problem for problem in said["problems"] if problem["rule"] == "box"]
    named = [(problem["file"].rsplit("/", 1)[-1], problem["object"]) for problem in boxes]
    assert named == [("BloodImage_00338.xml", 13), ("BloodImage_00343.xml", 4)]


def test_all_splits_are_looked_at(data, capsys):
    lists = data / "ImageSets/Main"
    (lists / "trainval.txt").unlink()
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("c\nd\n")
    assert run(capsys, data)[1]["classes"] == {"red": {"train": 2, "val": 2, "test": 2}}
    for form, splits in (("coco", {"train", "val", "test"}), ("yolo", {"train", "val", "test"})):
        assert main(["convert", str(data), str(data.parent / form), "--to", form]) == 0
        capsys.readouterr()
        assert set(run(capsys, data.parent / form)[1]["classes"]["red"]) == splits


def test_classes_that_hardly_fit_get_advice_by_measure(data, capsys):
    for name in "ae":
        label(data, name, GOOD + object_xml("dot", (20, 20, 30, 27)))  # 20 pixels at the network's size
    (problem,) = [p for p in run(capsys, data)[1]["problems"] if p["rule"] == "uncovered-class"]
    assert "--default-boxes coco would fit 100%" in problem["fix"]
    other = run(capsys, data, "--default-boxes", "coco")[1]["problems"]
    assert "uncovered-class" not in {p["rule"] for p in other}


def test_the_page_has_every_problem_and_nothing_of_the_web(data, capsys, tmp_path):
    label(data, "a", object_xml("&lt;b&gt;", (9, 9, 1, 1)))
    page = tmp_path / "findings.html"
    assert main(["check", str(data), "--html", str(page)]) == 3
    text = page.read_text(encoding="utf-8")
    assert "a.xml, object 1" in text
    assert "<b>:" not in text
    assert "http" not in text
    capsys.readouterr()
    assert main(["check", str(data), "--html", str(page)]) == 2
    assert "--overwrite" in capsys.readouterr().err
