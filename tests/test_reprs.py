"""What a user gets prints itself shortly, however large it is."""

import json
from pathlib import Path

import numpy as np
import pytest

from ssd300 import Dataset, Report, Result
from ssd300.detection.results import ImageDetections
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.scoring import score
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import NORMALIZATIONS
from ssd300.training.summary import NOT_EVALUATED, Summary
from ssd300.types import Annotation, Detections, DetectionTable, Sample
from ssd300.weights import Card

MOST = 400  # characters
CLASSES = tuple(f"a class with a name that is very long indeed, number {number}" for number in range(80))
IMAGES, OBJECTS = 50, 30
RNG = np.random.default_rng(0)
BOXES = np.tile(np.array([[10.0, 10.0, 60.0, 60.0]]), (OBJECTS, 1)) + RNG.uniform(0, 30, (OBJECTS, 4))


@pytest.fixture(scope="module")
def large() -> dict[str, object]:
    annotations = [
        Annotation(
            image_id=f"image {number}",
            image_path=Path(f"image {number}.jpg"),
            size_hw=(100, 200),
            boxes_px=BOXES,
            labels=np.arange(OBJECTS) % 80,
            difficult=np.zeros(OBJECTS, bool),
        )
        for number in range(IMAGES)
    ]
    dataset = Dataset(annotations=annotations, classes=CLASSES, root=Path("scenes"), split="test")
    table = DetectionTable(
        image_index=np.repeat(np.arange(IMAGES), OBJECTS),
        labels=np.tile(np.arange(OBJECTS) % 80, IMAGES),
        scores=RNG.uniform(0.02, 1, IMAGES * OBJECTS),
        boxes_px=np.tile(BOXES, (IMAGES, 1)),
    )
    report = score(dataset, table, metrics=["voc07", "voc12"])
    found = {"boxes": BOXES, "scores": np.linspace(1, 0.02, OBJECTS), "labels": np.arange(OBJECTS), "classes": CLASSES}
    pixels = np.zeros((900, 1600, 3), np.uint8)
    return {
        "annotation": annotations[0],
        "dataset": dataset,
        "table": table,
        "report": report,
        "score": report.scores[0],
        "class": report.per_class[CLASSES[0]],
        "errors": analyze_errors(dataset, table),
        "sample": Sample(
            image=pixels, boxes_px=BOXES, labels=np.arange(OBJECTS), difficult=np.zeros(OBJECTS, bool), image_id="a",
            size_hw=(900, 1600),
        ),
        "detections": Detections(**found),
        "image": ImageDetections(**found, image="folder/image.jpg", size_hw=(900, 1600)),
        "result": Result(**found, image="folder/image.jpg", pixels=pixels),
        "card": Card(
            model="ssd300_vgg16", classes=CLASSES, settings=PAPER, normalization=NORMALIZATIONS["caffe"],
            min_scores=dict.fromkeys(CLASSES, 0.5), source={"data": "x" * 1000},
        ),
    }  # fmt: skip


def test_no_text_is_long(large):
    lengths = {name: len(repr(value)) for name, value in large.items()}
    assert {name: length for name, length in lengths.items() if length > MOST} == {}


def test_pages_of_notebooks_have_a_dozen_rows_at_most(large):
    for name in ("dataset", "report"):
        page = large[name]._repr_html_()
        assert "and 68 more" in page
        assert len(page) < 8000


def test_the_texts(large):
    assert repr(large["dataset"]).startswith("scenes test: 50 images, 80 classes, 1,500 objects (a class")
    assert repr(large["dataset"]).endswith("and 74 more)")
    few = large["result"].select([row < 1 for row in range(OBJECTS)])
    assert repr(few) == f"1 detection on image.jpg: {CLASSES[0][:39]}… 1.00"
    assert repr(few.select([False])) == "no detections on image.jpg"
    assert isinstance(large["report"], Report)
    assert repr(large["report"]).endswith("on 50 images")


def test_a_large_result_is_shown_smaller_with_its_boxes_in_place(large):
    picture = large["result"]._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 500_000
    reduced = large["result"]._reduced(800)
    assert reduced.size_hw == (450, 800)
    np.testing.assert_allclose(reduced.boxes, BOXES / 2, rtol=1e-6)
    assert large["result"]._reduced(2000) is large["result"]


def test_a_summary_is_a_dictionary_that_prints_itself_shortly():
    content = {**NOT_EVALUATED, "steps": 300, "seconds": 200.0, "device": "cpu", "versions": {"a": "b" * 1000}}
    summary = Summary(content)
    assert summary == content
    assert json.loads(json.dumps(summary)) == content
    assert repr(summary) == "not evaluated, 300 steps in 3 min 20 s on cpu"
    per_class = {"<cat>": {"ap": 0.5, "objects": 3}, "dog": {"ap": None, "objects": 0}}
    summary |= {"map": 0.5, "metric": "voc07_11pt@0.5", "images": 1, "per_class": per_class}
    assert repr(summary) == "mAP 0.5000 (voc07_11pt@0.5, 1 image), 300 steps in 3 min 20 s on cpu"
    assert "&lt;cat&gt;" in summary._repr_html_()
