"""The interval of a mAP: by hand where it can be known, and as `ssd300 eval --interval` prints it."""

import json
from pathlib import Path

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.cli import main
from ssd300.data import Dataset, load_dataset
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.evaluation.resampling import map_interval
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.types import Annotation, DetectionTable


def data(annotations):
    return Dataset(annotations=annotations, classes=("cat", "dog"), root=Path(), split="test")


def test_one_image_has_nothing_to_vary_with():
    annotations, rows = problem(0)
    found = table([row for row in rows if row[0] == 0])
    alone = map_interval(data(annotations[:1]), found, resamples=20)
    whole = mean_ap(voc_average_precision(annotations[:1], found, 2))
    assert alone is not None
    assert (alone.low, alone.high) == pytest.approx((whole, whole))


def test_it_holds_the_map_and_is_narrower_with_more_images():
    annotations, rows = problem(1)
    found = table(rows)
    few = map_interval(data(annotations), found, metric="voc12", resamples=300)
    # Ten copies of each image with its detections: the same mAP, and a tenth of the variance.
    copies = [(row[0] + len(annotations) * copy, *row[1:]) for copy in range(10) for row in rows]
    many = map_interval(data(annotations * 10), table(copies), metric="voc12", resamples=300)
    whole = mean_ap(voc_average_precision(annotations, found, 2, protocol="voc12"))
    assert few is not None
    assert many is not None
    assert few.low < whole < few.high
    assert many.high - many.low < (few.high - few.low) / 2
    assert few == map_interval(data(annotations), found, metric="voc12", resamples=300)


def test_without_objects_there_is_none():
    annotations, rows = problem(0)
    image = annotations[0]
    empty = Annotation(
        image_id=image.image_id, image_path=image.image_path, size_hw=image.size_hw, boxes_px=np.zeros((0, 4)),
        labels=np.zeros(0, int), difficult=np.zeros(0, bool),
    )  # fmt: skip
    assert map_interval(data([]), table(problem(0)[1][:1]).select(np.zeros(1, bool)), resamples=5) is None
    assert map_interval(data([empty]), table([row for row in rows if row[0] == 0]), resamples=5) is None


@pytest.fixture
def perfect(coloured, tmp_path):
    """Predictions that are the label of the only image."""
    dataset = load_dataset(coloured, purpose="test")
    (annotation,) = dataset.annotations
    found = DetectionTable(
        image_index=np.zeros(1, np.int64), labels=annotation.labels, scores=np.array([0.9]),
        boxes_px=annotation.boxes_px,
    )  # fmt: skip
    write_comp4(tmp_path / "found", "test", found, dataset.annotations, dataset.classes)
    return tmp_path / "found"


def test_the_command_prints_it_below_the_map(coloured, perfect, capsys):
    assert main(["eval", str(coloured), "--predictions", str(perfect), "--interval"]) == 0
    assert "95% of 2,000 resamples of the images: 1.0000 to 1.0000" in capsys.readouterr().out


def test_in_json_each_voc_metric_has_one(coloured, perfect, capsys):
    arguments = ["--metric", "voc07", "coco", "--interval", "--json"]
    assert main(["eval", str(coloured), "--predictions", str(perfect), *arguments]) == 0
    intervals = json.loads(capsys.readouterr().out)["intervals"]
    assert intervals == {"voc07_11pt@0.5": {"confidence": 0.95, "low": 1.0, "high": 1.0, "resamples": 2000, "seed": 0}}


def test_cocos_metric_alone_has_none(coloured, perfect, capsys):
    assert main(["eval", str(coloured), "--predictions", str(perfect), "--metric", "coco", "--interval"]) == 2
    assert "--interval is for voc07 and voc12" in capsys.readouterr().err
