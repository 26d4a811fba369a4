"""Every format that detection writes is read back as what was found."""

import csv
import json
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.formats.coco_rows import category_ids
from ssd300.data.predictions.read import read_predictions
from ssd300.detection.outputs import Output, save_image, save_table
from ssd300.detection.results import Result

FORMATS = get_args(Output)


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


@pytest.mark.parametrize(
    "output", ["yolo-scores", "voc", "comp4", "coco.json", "coco_annotations.json", "detections.json"]
)
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
    coco = json.loads((written / "coco_annotations.json").read_text())
    assert [image["width"] for image in coco["images"]] == [160, 160]
    assert {one["category_id"] for one in coco["annotations"]} <= {1, 2}
    assert len(coco["annotations"]) == len(table)
    left, top, width, height = coco["annotations"][0]["bbox"]
    box = rows[0]["detections"][0]["box"]
    assert (left + width, top + height) == pytest.approx((box["xmax"], box["ymax"]))


def test_pycocotools_takes_the_results_with_the_ids_beside_them(written):
    coco = pytest.importorskip("pycocotools.coco")
    truth = coco.COCO(str(written / "coco_ids.json"))
    found = truth.loadRes(str(written / "coco.json"))
    rows = [json.loads(line) for line in (written / "detections.jsonl").read_text().splitlines()]
    for name, row in zip(("p3", "p4"), rows, strict=True):
        annotations = found.loadAnns(found.getAnnIds(imgIds=[name]))
        assert [one["score"] for one in annotations] == [one["score"] for one in row["detections"]]
        names = [truth.loadCats([one["category_id"]])[0]["name"] for one in annotations]
        assert names == [one["label"] for one in row["detections"]]


def test_the_id_of_an_image_is_its_number_as_in_cocos_own(tmp_path):
    names = ["000000000139", "dog", "7", "007"]
    rows = [
        {"image": f"{name}.jpg", "width": 9, "height": 9, "detections": [
            {"label": "dog", "label_id": 0, "score": 0.5, "box": {"xmin": 1, "ymin": 2, "xmax": 4, "ymax": 6}}]}
        for name in names
    ]  # fmt: skip
    save_table(tmp_path, names, rows, ["dog"], ["coco"])
    results = json.loads((tmp_path / "coco.json").read_text())
    assert [one["image_id"] for one in results] == [139, "dog", "7", "007"]
    assert results[0] == {"image_id": 139, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


def test_the_ids_of_cocos_classes_are_cocos():
    from ssd300.weights.class_names import COCO_CLASSES, COCO_CLASSES_WITH_GAPS

    assert category_ids(COCO_CLASSES) == [COCO_CLASSES_WITH_GAPS.index(name) + 1 for name in COCO_CLASSES]
    assert category_ids(COCO_CLASSES_WITH_GAPS)[-1] == 90
    assert category_ids(["person", "toothbrush"]) == [1, 2]


def test_files_for_labeling_have_no_scores_and_open_as_annotations(written, coloured, tmp_path):
    lines = (written / "yolo/p3.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [5] * 5
    with_scores = (written / "yolo-scores/p3.txt").read_text().splitlines()
    assert [line.split()[:5] for line in with_scores] == [line.split() for line in lines]
    for source, kind, folder in (("yolo", "txt", "labels"), ("voc", "xml", "Annotations")):
        images = tmp_path / source / ("images" if source == "yolo" else "JPEGImages")
        images.mkdir(parents=True)
        (tmp_path / source / folder).mkdir()
        for name in ("p3", "p4"):
            (images / f"{name}.jpg").write_bytes((coloured / f"JPEGImages/{name}.jpg").read_bytes())
            text = (written / source / f"{name}.{kind}").read_text()
            (tmp_path / source / folder / f"{name}.{kind}").write_text(text)
        if source == "yolo":
            (tmp_path / source / "classes.txt").write_text((written / "yolo/classes.txt").read_text())
        dataset = load_dataset(tmp_path / source, on_bad_label="drop-box")
        assert sum(len(one.boxes_px) for one in dataset.annotations) + len(dataset.dropped) == 10


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
