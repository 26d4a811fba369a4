from pathlib import Path

import numpy as np
import pytest

from ssd300.metrics.voc_matching import judge, nearest_objects, objects_of, within_area
from ssd300.metrics.voc_rules import VocRules
from ssd300.types import Annotation, DetectionTable

HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)


def annotated(boxes, difficult=(), labels=None):
    return Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=(100, 100),
        boxes_px=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.array(labels or [0] * len(boxes), dtype=np.int64),
        difficult=np.array([row in difficult for row in range(len(boxes))], dtype=bool),
    )  # fmt: skip


def table(*rows):
    """Rows of (image, label, score, box)."""
    return DetectionTable(
        image_index=np.array([row[0] for row in rows], dtype=np.int64),
        labels=np.array([row[1] for row in rows], dtype=np.int64),
        scores=np.array([row[2] for row in rows], dtype=np.float64),
        boxes_px=np.array([row[3] for row in rows], dtype=np.float64).reshape(-1, 4),
    )


def test_the_first_by_score_is_true_and_later_ones_are_false_and_equal_scores_keep_their_order():
    (judged,) = judge([annotated([HERE])], table((0, 0, 0.5, HERE), (0, 0, 0.9, HERE), (0, 0, 0.9, HERE)), 1)
    assert judged.rows.tolist() == [1, 2, 0]
    assert judged.true.tolist() == [True, False, False]
    assert judged.matched_object.tolist() == [0, 0, 0]


def test_an_iou_of_exactly_one_half_is_true_and_a_little_less_is_false():
    """10 x 10 pixels; the first detection covers 5 of the rows, the second a little less of another object."""
    scene = [annotated([HERE, THERE])]
    (judged,) = judge(scene, table((0, 0, 0.9, (0, 0, 10, 5)), (0, 0, 0.8, (50, 50, 60, 54.99))), 1)
    assert judged.true.tolist() == [True, False]
    (above,) = judge(scene, table((0, 0, 0.9, (0, 0, 10, 5))), 1, VocRules(overlap="above"))
    assert above.true.tolist() == [False]


def test_a_detection_belongs_to_its_best_object_even_where_another_is_free():
    near = (0, 0, 10, 9)
    (judged,) = judge([annotated([HERE, near])], table((0, 0, 0.9, HERE), (0, 0, 0.8, HERE)), 1)
    assert judged.true.tolist() == [True, False]


def test_difficult_objects_and_their_detections_do_not_count():
    scene = [annotated([HERE, THERE], difficult=[1])]
    (judged,) = judge(scene, table((0, 0, 0.9, THERE), (0, 0, 0.8, HERE)), 1)
    assert (judged.rows.tolist(), judged.true.tolist()) == ([1], [True])
    assert (judged.objects.tolist(), judged.difficult, judged.detections) == ([1], 1, 2)


def test_classes_and_images_are_apart():
    scene = [annotated([HERE], labels=[1]), annotated([THERE])]
    first, second = judge(scene, table((0, 0, 0.9, HERE), (0, 1, 0.8, HERE), (1, 0, 0.7, THERE)), 2)
    assert (first.rows.tolist(), first.true.tolist(), first.objects.tolist()) == ([0, 2], [False, True], [0, 1])
    assert (second.rows.tolist(), second.true.tolist(), second.objects.tolist()) == ([1], [True], [1, 0])


def test_outside_an_area_range_objects_are_difficult_and_false_detections_are_ignored():
    """Areas are 100, 100 and 400; the range includes its ends."""
    scene = [annotated([HERE, (50, 50, 70, 70)])]
    found = table((0, 0, 0.9, THERE), (0, 0, 0.8, HERE), (0, 0, 0.7, (80, 0, 100, 20)))
    (judged,) = judge(scene, found, 1, within_area_px=(0.0, 100.0))
    assert (judged.rows.tolist(), judged.true.tolist(), judged.difficult) == ([0, 1], [False, True], 1)
    assert within_area(np.array([[0.0, 0, 10, 10], [0, 0, 10, 11]]), (100.0, 100.0)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("rule", "difficult"), [("ignored", [False, True]), ("counted", [False] * 2), ("dropped", [False])]
)
def test_objects_by_the_rule_for_difficult_ones(rule, difficult):
    objects = objects_of([annotated([]), annotated([HERE, THERE], difficult=[1])], VocRules(difficult=rule))
    assert objects.difficult.tolist() == difficult
    assert objects.images.tolist() == [1] * len(difficult)
    assert objects.num_images == 2


@pytest.mark.parametrize(("pixels", "iou"), [("inclusive", 50 / 100), ("differences", 9 * 4 / (9 * 9))])
def test_widths_include_both_ends_or_not(pixels, iou):
    found = table((0, 0, 0.9, (0, 0, 10, 5)), (0, 0, 0.9, THERE))
    best, got = nearest_objects(found, np.arange(2), objects_of([annotated([HERE])]), VocRules(pixels=pixels))
    assert best.tolist() == [0, -1]
    assert got.tolist() == pytest.approx([iou, 0.0])


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ((0, 0, float("nan"), HERE), "scores is nan"),
        ((0, 0, 0.5, (0, 0, float("inf"), 1)), "boxes_px"),
        ((1, 0, 0.5, HERE), "image_index is 1, expected 0..0"),
        ((0, 1, 0.5, HERE), "labels is 1, expected 0..0"),
        ((0, -1, 0.5, HERE), "labels is -1"),
    ],
)
def test_a_bad_row_is_named(row, column):
    with pytest.raises(ValueError, match=f"detection row 1: {column}"):
        judge([annotated([HERE])], table((0, 0, 0.5, HERE), row), 1)


def test_an_annotation_of_an_unknown_class_is_named():
    with pytest.raises(ValueError, match=r"annotation labels lie in 3\.\.3, expected 0\.\.1"):
        judge([annotated([HERE], labels=[3])], table(), 2)
