from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.data import load_dataset
from ssd300.data.formats.yolo import to_corners, to_line
from ssd300.errors import DataError

YAML = "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"


def write(root: Path, rows: dict[str, str | None], yaml: str = YAML) -> Path:
    """An image of 80 x 40 for each name below images/, and its text file, where there is one."""
    root.mkdir(exist_ok=True)
    for name, text in rows.items():
        image, labels = root / f"images/{name}.jpg", root / f"labels/{name}.txt"
        for path in (image, labels):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 40)).save(image)
        if text is not None:
            labels.write_text(text)
    (root / "data.yaml").write_text(yaml)
    return root


def test_by_hand(tmp_path):
    rows = {"train/a": "1 0.5 0.5 0.25 0.5\n\n0 0.1 0.1 0.9 0.1 0.9 0.5\n", "train/b": None, "val/c": ""}
    data = load_dataset(write(tmp_path / "d", rows))
    assert (data.classes, data.split) == (("cat", "dog"), "train")
    first, second = data.annotations
    # The first is a box; the second line is a polygon, whose box is around its corners.
    np.testing.assert_allclose(first.boxes_px, [[30, 10, 50, 30], [8, 4, 72, 20]])
    assert first.labels.tolist() == [1, 0]
    assert (first.size_hw, len(second)) == ((40, 80), 0)
    assert any("1 image without a text file" in note for note in data.notes)
    assert len(load_dataset(tmp_path / "d/data.yaml", purpose="test")) == 1


@pytest.mark.parametrize(
    "yaml",
    [
        "train: ../images/train\nval: ../images/val\nnc: 2\nnames: [cat, dog]\n",  # Roboflow's
        "path: /a/folder/of/another/machine\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n",
        "train: train.txt\nval: [images/val]\nnames: [cat, dog]\n",
    ],
)
def test_ways_to_name_the_images(tmp_path, yaml):
    root = write(tmp_path / "d", {"train/a": "0 .5 .5 .5 .5", "val/b": "1 .5 .5 .5 .5"}, yaml)
    (root / "train.txt").write_text("./images/train/a.jpg\n")
    assert [annotation.image_id for annotation in load_dataset(root).annotations] == ["a"]
    assert [annotation.image_id for annotation in load_dataset(root, purpose="test").annotations] == ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 .5 .5 .5 .5", r"a\.txt, object 1: the class 2 in line 1 is not 0 to 1"),
        ("0.5 .5 .5 .5 .5", "the class 0.5 in line 1 is not"),
        ("cat .5 .5 .5 .5", "line 1 is not numbers"),
        ("0 .5 .5 .5 .5 .9", r"object 1 \(cat\): line 1 has 6 columns"),
        ("0 .5 .5 .5", "line 1 has 4 columns"),
        ("0 .5 .5 0 .5", "is empty"),
        ("0 .5 .5 nan .5", "missing or not a number"),
        ("0 .5 .5 1.5 .5", "reaches out of the image"),
    ],
)
def test_a_fault_is_named_with_file_and_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        load_dataset(write(tmp_path / "d", {"train/a": text, "val/b": ""}))


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("train: images/train\nnc: 3\nnames: [cat, dog]\n", "nc is 3 where there are 2 names"),
        ("train: images/train\nnames: {1: cat, 2: dog}\n", "not numbered 0, 1, 2"),
        ("train: images/train\nnames: []\n", "not a list of classes"),
        ("train: images/nowhere\nnames: [cat, dog]\n", "there is no 'images/nowhere'"),
        ("val: images/val\nnames: [cat, dog]\n", "no split to train on"),
        ("nothing: 1\n", "no data of a known format"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path, yaml, message):
    with pytest.raises(DataError, match=message):
        load_dataset(write(tmp_path / "d", {"train/a": "", "val/b": ""}, yaml))


def test_an_unreadable_image_is_dropped_where_the_policy_drops_images(tmp_path):
    root = write(tmp_path / "d", {"train/a": "0 .5 .5 .5 .5", "train/b": "0 .5 .5 .5 .5", "val/c": ""})
    (root / "images/train/a.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match="the file is not an image"):
        load_dataset(root)
    data = load_dataset(root, on_bad_label="drop-image")
    assert [annotation.image_id for annotation in data.annotations] == ["b"]
    assert data.dropped == {"images": 1}


def test_a_line_by_hand_and_back():
    line = to_line(1, (30.0, 10.0, 50.0, 30.0), (40, 80))
    assert line == "1 0.5 0.5 0.25 0.5\n"
    assert to_line(1, (30.0, 10.0, 50.0, 30.0), (40, 80), score=0.75) == "1 0.5 0.5 0.25 0.5 0.75\n"
    assert to_corners(*map(float, line.split()[1:])) == (30 / 80, 10 / 40, 50 / 80, 30 / 40)
