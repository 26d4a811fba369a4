"""Twelve real images of blood cells (BCCD, MIT) through the whole job, so that a checkout alone proves it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from ssd300 import TrainConfig, evaluate, load_dataset, train
from ssd300.cli import main
from ssd300.evaluation.verification import verify

pytestmark = pytest.mark.slow

BLOOD_CELLS = Path(__file__).with_name("data_files") / "bccd"
CLASSES = ("Platelets", "RBC", "WBC")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("blood") / "run"
    config = TrainConfig(
        out=out,
        model="ssd300_efficientnet_lite0",
        init="imagenet",
        steps=3,
        batch_size=4,
        lr=1e-2,
        workers=0,
        amp="off",
    )
    train(load_dataset(BLOOD_CELLS), config, validation=load_dataset(BLOOD_CELLS, purpose="test"))
    return out


def test_every_object_of_the_files_is_loaded():
    written = dict.fromkeys(CLASSES, 0)
    for purpose in ("train", "test"):
        dataset = load_dataset(BLOOD_CELLS, purpose=purpose)
        assert dataset.classes == CLASSES
        for annotation in dataset.annotations:
            root = ElementTree.parse(BLOOD_CELLS / "Annotations" / f"{annotation.image_id}.xml").getroot()
            names = [item.findtext("name") for item in root.iter("object")]
            assert [CLASSES[label] for label in annotation.labels] == names
            with Image.open(annotation.image_path) as image:
                assert annotation.size_hw == (image.height, image.width)
        for name, count in dataset.objects_per_class().items():
            written[name] += count
    assert sum(written.values()) == sum(
        len(list(ElementTree.parse(file).getroot().iter("object")))
        for file in (BLOOD_CELLS / "Annotations").glob("*.xml")
    )


def test_training_evaluation_and_verification_agree(run):
    summary = json.loads((run / "summary.json").read_text())
    dataset = load_dataset(BLOOD_CELLS, purpose="test")
    assert summary["images"] == len(dataset) == 4
    assert summary["images_seen"] == 12
    assert evaluate(run, dataset).map == pytest.approx(summary["map"], abs=1e-6)
    assert verify(run, dataset).holds


def test_detections_lie_in_their_images(run, tmp_path):
    images = str(BLOOD_CELLS / "JPEGImages")
    assert main(["detect", images, "-w", str(run), "--conf", "0.05", "--out", str(tmp_path / "found")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "found/detections.jsonl").read_text().splitlines()]
    assert len(rows) == 12
    for row in rows:
        assert (row["width"], row["height"]) == (640, 480)
        assert all(one["label"] in CLASSES for one in row["detections"])
        boxes = [one["box"] for one in row["detections"]]
        assert all(0 <= box["xmin"] <= box["xmax"] <= 640 and 0 <= box["ymin"] <= box["ymax"] <= 480 for box in boxes)
