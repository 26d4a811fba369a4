"""Every format that detection writes is read back as what was found."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.detection.outputs import save_image
from ssd300.detection.results import Result

FORMATS = ("image", "jsonl", "json", "csv", "coco", "yolo", "voc", "comp4", "crops")


@pytest.fixture
def written(coloured, light_run, tmp_path):
    out = tmp_path / "out"
    images = [str(coloured / f"JPEGImages/p{number}.jpg") for number in (3, 4)]
    words = ["detect", *images, "-w", str(light_run), "--out", str(out), "--min-score", "0.6", "--top-k", "5"]
    assert main([*words, "--save", *FORMATS]) == 0
    return out


def rows_of(table):
    order = np.lexsort((table.boxes_px[:, 0], -table.scores, table.image_index))
    return np.column_stack([table.image_index, table.labels, table.scores, table.boxes_px])[order]


@pytest.mark.parametrize("output", ["yolo", "voc", "comp4", "coco.json", "detections.json"])
def test_what_is_written_is_read_back(output, written, coloured):
    annotations = [
        one for split in ("trainval", "test") for one in load_dataset(coloured, split=split).annotations
        if one.image_id in ("p3", "p4")
    ]  # fmt: skip
    wanted = read_predictions(written / "detections.jsonl", annotations, ("blue", "red")).table
    assert len(wanted) == 10
    got = read_predictions(written / output, annotations, ("blue", "red")).table
    np.testing.assert_allclose(rows_of(got), rows_of(wanted), atol=1e-4)


def test_files_with_all_images_agree(written):
    rows = [json.loads(line) for line in (written / "detections.jsonl").read_text().splitlines()]
    assert json.loads((written / "detections.json").read_text()) == {"classes": ["blue", "red"], "images": rows}
    table = list(csv.DictReader((written / "detections.csv").read_text().splitlines()))
    assert [float(row["score"]) for row in table] == [one["score"] for row in rows for one in row["detections"]]
    coco = json.loads((written / "coco.json").read_text())
    assert [image["width"] for image in coco["images"]] == [160, 160]
    assert {one["category_id"] for one in coco["annotations"]} <= {1, 2}
    assert len(coco["annotations"]) == len(table)
    left, top, width, height = coco["annotations"][0]["bbox"]
    box = rows[0]["detections"][0]["box"]
    assert (left + width, top + height) == pytest.approx((box["xmax"], box["ymax"]))


def test_each_detection_has_a_crop(written):
    assert (written / "p3.jpg").is_file()
    crops = sorted((written / "crops").rglob("*.jpg"))
    assert len(crops) == 10
    rows = [json.loads(line) for line in (written / "detections.jsonl").read_text().splitlines()]
    for number, one in enumerate(rows[0]["detections"], start=1):
        with Image.open(written / "crops" / one["label"] / f"p3_{number}.jpg") as crop:
            assert crop.width == pytest.approx(one["box"]["xmax"] - one["box"]["xmin"], abs=2)


def test_only_the_named_formats_are_written(coloured, light_run, tmp_path):
    out = tmp_path / "out"
    image = str(coloured / "JPEGImages/p3.jpg")
    assert main(["detect", image, "-w", str(light_run), "--out", str(out), "--save", "csv"]) == 0
    assert [path.name for path in out.iterdir()] == ["detections.csv"]


@pytest.mark.parametrize(("label", "folder"), [("../../up", "_.._up"), ("..", "_"), ("a/b", "a_b"), ("dog", "dog")])
def test_crops_stay_in_their_folder(label, folder, tmp_path):
    result = Result(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([0]),
        classes=(label,), image="dog.jpg", pixels=np.zeros((10, 20, 3), np.uint8),
    )  # fmt: skip
    save_image(tmp_path, "dog", result, ["crops"])
    assert (tmp_path / "crops" / folder / "dog_1.jpg").is_file()
