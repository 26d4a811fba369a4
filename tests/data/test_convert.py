import itertools
import json

import numpy as np
import pytest
from PIL import Image

from conftest import object_xml, write_voc
from ssd300.cli import main
from ssd300.data import load_dataset

FRACTIONAL = (3.25, 4.5, 60.75, 50.125)


@pytest.fixture
def data(tmp_path):
    """Difficult objects, real fractions, an image without objects, and one name in both splits' order of classes."""
    objects = {
        "a": object_xml("dog", (1, 1, 120, 90)) + object_xml("cat &amp; co", FRACTIONAL, "<difficult>1</difficult>"),
        "b": "",
        "c": object_xml("dog", (10, 20, 30, 40), "<crowd>1</crowd>"),
    }
    root = write_voc(tmp_path / "data", objects, {"trainval": ["a", "b"], "test": ["c"]}, size=(90, 120))
    random = np.random.default_rng(0)
    for name in objects:
        pixels = random.integers(0, 255, (90, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"JPEGImages/{name}.png")
    return root


def same(one, other, *, marks=True):
    assert one.classes == other.classes
    assert len(one) == len(other)
    for first, second in zip(one.annotations, other.annotations, strict=True):
        assert first.image_id == second.image_id
        np.testing.assert_allclose(first.boxes_px, second.boxes_px, rtol=0, atol=1e-9)
        assert first.labels.tolist() == second.labels.tolist()
        assert first.size_hw == second.size_hw
        assert first.image_path.read_bytes() == second.image_path.read_bytes()
        if marks:
            assert first.difficult.tolist() == second.difficult.tolist()
            assert first.crowd.tolist() == second.crowd.tolist()


@pytest.mark.parametrize("way", [*itertools.permutations(["voc", "coco", "yolo"]), ("voc", "coco", "voc")])
def test_there_and_back_changes_nothing(data, tmp_path, way):
    place = data
    for number, format_name in enumerate(way):
        new = tmp_path / f"{number}_{format_name}"
        assert main(["convert", str(place), str(new), "--to", format_name]) == 0
        place = new
    for purpose in ("train", "test"):
        before = load_dataset(data, purpose=purpose)
        same(before, load_dataset(place, purpose=purpose, classes=before.classes), marks="yolo" not in way)


def test_marks_that_a_format_lacks_are_counted(data, tmp_path, capsys):
    assert main(["convert", str(data), str(tmp_path / "new"), "--to", "yolo", "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["splits"] == {
        "trainval": {"images": 2, "objects": 2, "dropped": {}}, "test": {"images": 1, "objects": 1, "dropped": {}},
    }  # fmt: skip
    assert report["lost"] == ["YOLO has no mark for difficult objects and crowds: lost for 2"]
    assert "lost for 2" in err
    assert main(["convert", str(data), str(tmp_path / "new"), "--to", "yolo"]) == 2  # it is not empty
    assert main(["convert", str(data), str(tmp_path / "one"), "--to", "coco", "--split", "test"]) == 0
    assert [path.name for path in (tmp_path / "one/annotations").iterdir()] == ["instances_test.json"]


def test_nothing_is_left_of_a_conversion_that_fails(data, tmp_path, capsys):
    (data / "JPEGImages/b.png").unlink()
    assert main(["convert", str(data), str(tmp_path / "new"), "--to", "coco"]) == 3
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_bccd_in_every_format(bccd, tmp_path, capsys):
    drop = ["--on-bad-label", "drop-box"]
    assert main(["convert", str(bccd), str(tmp_path / "coco"), "--to", "coco", *drop]) == 0
    assert main(["convert", str(tmp_path / "coco"), str(tmp_path / "yolo"), "--to", "yolo"]) == 0
    assert main(["convert", str(tmp_path / "yolo"), str(tmp_path / "voc"), "--to", "voc"]) == 0
    for purpose in ("train", "test"):
        before = load_dataset(bccd, purpose=purpose, on_bad_label="drop-box")
        same(before, load_dataset(tmp_path / "voc", split={"train": "train", "test": "test"}[purpose],
                                  classes=before.classes))  # fmt: skip
