from pathlib import Path

import numpy as np
import pytest

from ssd300.data import Dataset
from ssd300.evaluation.rule_variants import rule_variants
from ssd300.types import Annotation, DetectionTable

OBJECT, HARD, HALF = (0, 0, 10, 10), (50, 50, 60, 60), (0, 0, 10, 5)


def data(classes=("cat", "dog")):
    annotation = Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=(100, 100), boxes_px=np.array([OBJECT, HARD], float),
        labels=np.array([0, 0]), difficult=np.array([False, True]),
    )  # fmt: skip
    return Dataset(annotations=[annotation], classes=classes, root=Path(), split="test")


def table(boxes, scores):
    return DetectionTable(
        image_index=np.zeros(len(boxes), np.int64), labels=np.zeros(len(boxes), np.int64),
        scores=np.array(scores, float), boxes_px=np.array(boxes, float).reshape(-1, 4),
    )  # fmt: skip


def by_choice(found):
    return {one.choice: one.map for one in found}


def test_what_each_choice_makes_of_it():
    found = by_choice(rule_variants(data(), table([HARD, HALF], [0.9, 0.1]), metric="voc12"))
    assert found == {
        "as asked": 1.0,
        "the mean of 11 points": 1.0,
        "COCO's metric": pytest.approx(found["COCO's metric"]),
        "overlap above": 0.0,
        "pixels differences": 0.0,
        "difficult counted": 1.0,
        "difficult dropped": 0.5,
        "only scores from 0.2": 0.0,
        "classes without objects count as 0": 0.5,
    }


def test_the_difference_and_the_classes_that_moved():
    found = {one.choice: one for one in rule_variants(data(), table([HALF], [0.9]), metric="voc07")}
    above = found["overlap above"]
    assert (above.map, above.difference, above.classes) == (0.0, -1.0, 1)
    assert above.metric == "voc07_11pt@0.5 (overlap above the threshold)"
    assert found["as asked"].difference == 0.0


def test_no_detection_and_no_object():
    assert by_choice(rule_variants(data(), table([], [])))["as asked"] == 0.0
    none = Dataset(annotations=[], classes=("cat",), root=Path(), split="test")
    assert {one.map for one in rule_variants(none, table([], []))} == {None}


def test_the_best_of_a_image():
    boxes, scores = [OBJECT, *[HARD] * 120], [0.3, *[0.9] * 120]
    found = by_choice(rule_variants(data(), table(boxes, scores)))
    assert (found["as asked"], found["the 100 best per image"]) == (1.0, 0.0)
