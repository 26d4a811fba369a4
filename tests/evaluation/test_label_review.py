from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.data import Dataset
from ssd300.evaluation.disagreement import KINDS, ReviewRules
from ssd300.evaluation.label_review import review
from ssd300.types import Annotation, DetectionTable

CLASSES = ("cat", "dog")
A, B, C = (0, 0, 10, 10), (50, 0, 60, 10), (0, 50, 10, 60)
NONE = DetectionTable(
    image_index=np.zeros(0, np.int64), labels=np.zeros(0, np.int64), scores=np.zeros(0), boxes_px=np.zeros((0, 4))
)


def annotation(*objects, image="1", difficult=(), crowd=()):
    """An image with objects (label, box)."""
    numbers = range(len(objects))
    return Annotation(
        image_id=image,
        image_path=Path(f"{image}.jpg"),
        size_hw=(100, 100),
        boxes_px=np.array([box for _, box in objects], float).reshape(-1, 4),
        labels=np.array([label for label, _ in objects], np.int64),
        difficult=np.array([number in (*difficult, *crowd) for number in numbers], bool),
        crowd=np.array([number in crowd for number in numbers], bool),
    )


def detections(*rows):
    """Detections (score, label, box) of the first image, or (score, label, box, image)."""
    return DetectionTable(
        image_index=np.array([row[3] if len(row) > 3 else 0 for row in rows], np.int64),
        labels=np.array([row[1] for row in rows], np.int64),
        scores=np.array([row[0] for row in rows], float),
        boxes_px=np.array([row[2] for row in rows], float).reshape(-1, 4),
    )


def reviewed(annotations, *rows, **options):
    annotations = [annotations] if isinstance(annotations, Annotation) else annotations
    data = Dataset(annotations=annotations, classes=CLASSES, root=Path(), split="test")
    return review(data, detections(*rows) if rows else NONE, **options)


def kinds(result):
    """Each case as its kind, the number of its label and the score of its detection."""
    return [
        (one.kind, None if one.label is None else one.label.index, one.detection and round(one.detection.score, 3))
        for one in result.cases
    ]


def test_where_both_agree_there_is_nothing():
    result = reviewed(annotation((0, A), (1, B)), (0.9, 0, A), (0.8, 1, B), (0.3, 1, C))
    assert kinds(result) == []
    assert (result.labels, result.found) == ({"cat": 1, "dog": 1}, {"cat": 1, "dog": 1})
    assert reviewed([]).cases == reviewed(annotation()).cases == []


def test_an_object_without_a_label_is_missed_once_and_less_so_beside_a_label():
    half = (5, 0, 15, 10)  # an IoU of 1/3 with A
    result = reviewed(annotation((1, A)), (0.9, 1, A), (0.9, 0, B), (0.8, 1, B), (0.6, 0, half), (0.4, 0, C))
    assert kinds(result) == [("missed", None, 0.9), ("missed", None, 0.6)]
    assert [one.suspicion for one in result.cases] == pytest.approx([0.9, 0.6 * 2 / 3])
    assert result.counts()["missed"] == {"cat": 2, "dog": 0}


def test_a_label_of_another_class_than_the_detection():
    near = (0, 0, 10, 8)  # an IoU of 0.8 with A
    result = reviewed(annotation((0, A)), (0.9, 1, near), (0.2, 0, A))
    assert kinds(result) == [("other-class", 0, 0.9)]
    assert result.cases[0].suspicion == pytest.approx((0.9 - 0.2) * 0.8)
    assert result.found["cat"] == 0
    both = reviewed(annotation((0, A)), (0.9, 1, A), (0.6, 0, A))  # a confident detection agrees
    assert kinds(both) == []


def test_two_labels_of_one_object_are_told_once_with_the_supported_one_first():
    near = (0, 0, 10, 9)
    result = reviewed(annotation((0, A), (1, near), (0, near)), (0.9, 1, near))
    pairs = [(one.kind, one.label.index, one.other_label.index, one.suspicion) for one in result.cases]
    assert pairs == [("doubled", 1, 2, 1), ("doubled", 1, 0, 0.9)]
    assert result.found == {"cat": 0, "dog": 1}
    same = reviewed(annotation((0, A), (0, near)), (0.9, 0, A))
    assert (kinds(same), same.found) == ([("doubled", 0, 0.9)], {"cat": 2, "dog": 0})
    apart = reviewed(annotation((0, A), (0, (0, 0, 10, 5))), (0.9, 0, A))
    assert [kind for kind, *_ in kinds(apart)] == ["unseen"]


@pytest.mark.parametrize(
    ("height", "kind"), [(10, None), (7.5, None), (7.4, "loose"), (5, "loose"), (3, "loose"), (2.9, "missed")]
)
def test_a_box_that_differs_is_loose_down_to_the_least_iou(height, kind):
    """Of IoU 0.29 both are alone: the label is unseen too."""
    result = reviewed(annotation((0, A)), (0.9, 0, (0, 0, 10, height)))
    expected = {None: [], "loose": ["loose"], "missed": ["missed", "unseen"]}[kind]
    assert sorted(kind for kind, *_ in kinds(result)) == sorted(expected)
    if kind == "loose":
        assert result.cases[0].suspicion == pytest.approx(0.9 * (1 - height / 10))


def test_an_unseen_label_counts_by_how_often_its_class_is_found_and_how_weakly_it_is_seen():
    images = [annotation((0, A), image="1"), annotation((0, B), image="2"), annotation((1, A), (0, C), image="3")]
    result = reviewed(images, (0.9, 0, A, 0), (0.3, 0, B, 1))
    assert kinds(result) == [("unseen", 1, None), ("unseen", 0, 0.3), ("unseen", 0, None)]
    assert [one.suspicion for one in result.cases] == pytest.approx([1 / 3, 0.7 / 3, 0])  # a third of the cats
    assert [one.image_id for one in result.cases] == ["3", "2", "3"]


def test_difficult_labels_and_crowds_explain_detections_and_are_not_told():
    apart = (0, 0, 10, 6)
    silent = annotation((0, A), (1, B), difficult=(0, 1))
    result = reviewed(silent, (0.9, 0, apart), (0.9, 0, B))
    assert kinds(result) == []
    assert result.labels == {"cat": 0, "dog": 0}
    crowd = annotation((0, (0, 0, 100, 100)), (0, (0, 0, 100, 99)), crowd=(0, 1))
    assert kinds(reviewed(crowd, (0.9, 0, A), (0.9, 1, B))) == []
    half_outside = (-6, 0, 4, 10)
    assert kinds(reviewed(crowd, (0.9, 0, half_outside))) == [("missed", None, 0.9)]


def test_thresholds_are_those_of_the_classes():
    rows = ((0.3, 0, A), (0.3, 1, B))
    assert kinds(reviewed(annotation(), *rows)) == []
    result = reviewed(annotation(), *rows, min_scores={"cat": 0.3})
    assert [one.detection.name for one in result.cases] == ["cat"]
    assert result.min_scores == {"cat": 0.3, "dog": 0.5}


def test_the_ious_are_rules_and_are_checked():
    rows = ((0.9, 0, (0, 0, 10, 8)),)
    assert kinds(reviewed(annotation((0, A)), *rows, rules=ReviewRules(close_iou=0.9))) == [("loose", 0, 0.9)]
    for wrong in ({"match_iou": 0.0}, {"close_iou": 1.5}, {"match_iou": 0.2}, {"match_iou": 0.8}):
        with pytest.raises(ValueError, match=r"_iou is"):
            ReviewRules(**wrong)


def test_the_json_has_both_boxes_and_what_is_not_there_is_null():
    result = reviewed(annotation((0, A)), (0.9, 0, B)).to_dict()
    missed, unseen = result["cases"]
    assert (missed["label"], missed["other_label"], unseen["detection"]) == (None, None, None)
    assert missed["detection"] == {
        "class": "cat", "score": 0.9, "box": {"xmin": 50.0, "ymin": 0.0, "xmax": 60.0, "ymax": 10.0},
    }  # fmt: skip
    assert unseen["label"]["index"] == 0
    assert missed["image"] == "1.jpg"
    assert list(result["counts"]) == list(KINDS)


@pytest.mark.parametrize("seed", range(8))
def test_every_label_and_confident_detection_is_explained_or_told_at_most_once(seed):
    annotations, rows = problem(seed)
    found = table(rows)
    data = Dataset(annotations=annotations, classes=CLASSES, root=Path(), split="test")
    result = review(data, found)
    labels = Counter(
        (one.image_index, one.label.index) for one in result.cases if one.label is not None and one.kind != "doubled"
    )
    assert not labels or max(labels.values()) == 1
    told = Counter(
        (one.image_index, one.detection.box_px)
        for one in result.cases
        if one.kind in ("missed", "other-class", "loose")
    )
    assert not told or max(told.values()) == 1
    twins = {(one.image_index, one.other_label.index) for one in result.cases if one.kind == "doubled"}
    alone = {key for key in labels if key in {(c.image_index, c.label.index) for c in result.cases if c.kind in
                                              ("unseen", "other-class")}}  # fmt: skip
    every = {
        (image, index) for image, one in enumerate(annotations) for index in range(len(one)) if not one.difficult[index]
    }
    near = {(c.image_index, c.label.index) for c in result.cases if c.kind == "loose"}
    assert len(every) == sum(result.labels.values())
    assert len(every - alone - twins) <= sum(result.found.values()) + len(near)
    assert all(0 <= one.suspicion <= 1 for one in result.cases)
    assert [one.suspicion for one in result.cases] == sorted((one.suspicion for one in result.cases), reverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(found))
    assert [one.to_dict() for one in review(data, found.select(shuffled)).cases] == [
        one.to_dict() for one in result.cases
    ]
