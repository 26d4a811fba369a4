from pathlib import Path

import numpy as np
import pytest

from random_detections import problem
from random_detections import table as table_of
from ssd300.metrics.confusion import confusion_matrix
from ssd300.metrics.error_kinds import NO_ERROR, find_errors
from ssd300.metrics.voc_rules import VocRules
from ssd300.types import Annotation, DetectionTable

A, B, NONE = 0, 1, 2


def image(*objects):
    """Of (label, box, difficult)."""
    labels, boxes, difficult = zip(*objects, strict=True) if objects else ((), (), ())
    return Annotation(
        image_id="p",
        image_path=Path("p.jpg"),
        size_hw=(100, 100),
        boxes_px=np.array(boxes, float).reshape(-1, 4),
        labels=np.array(labels, np.int64),
        difficult=np.array(difficult, bool),
    )


def table(*rows):
    """Of (image, label, score, box)."""
    images, labels, scores, boxes = zip(*rows, strict=True) if rows else ((), (), (), ())
    return DetectionTable(
        image_index=np.array(images, np.int64),
        labels=np.array(labels, np.int64),
        scores=np.array(scores, float),
        boxes_px=np.array(boxes, float).reshape(-1, 4),
    )


HERE, NEAR, FAR = (10, 10, 30, 30), (11, 10, 31, 30), (60, 60, 90, 90)


@pytest.mark.parametrize(
    ("images", "rows", "expected"),
    [
        ([], [], {}),
        ([image()], [], {}),
        ([image((A, HERE, False))], [], {(A, NONE): 1}),
        ([image()], [(0, B, 0.9, HERE)], {(NONE, B): 1}),
        ([image((A, HERE, False))], [(0, A, 0.9, NEAR)], {(A, A): 1}),
        ([image((A, HERE, False))], [(0, B, 0.9, NEAR)], {(A, B): 1}),
        ([image((A, HERE, False))], [(0, A, 0.9, FAR)], {(A, NONE): 1, (NONE, A): 1}),
        # The right class has the object, though the other box fits better.
        ([image((A, HERE, False))], [(0, A, 0.6, NEAR), (0, B, 0.9, HERE)], {(A, A): 1, (NONE, B): 1}),
        # Of two wrong ones the one that fits better.
        ([image((A, HERE, False))], [(0, B, 0.9, NEAR), (0, B, 0.6, HERE)], {(A, B): 1, (NONE, B): 1}),
        # A detection pairs with one object; the second object is missed.
        ([image((A, HERE, False), (B, NEAR, False))], [(0, A, 0.9, HERE)], {(A, A): 1, (B, NONE): 1}),
        ([image((A, HERE, False), (A, NEAR, False))], [(0, B, 0.9, HERE)], {(A, B): 1, (A, NONE): 1}),
        # A second box for an object that was found is false, and the object beside it is not found, as in the metric.
        ([image((A, HERE, False), (A, NEAR, False))], [(0, A, 0.9, HERE), (0, A, 0.8, HERE)],
         {(A, A): 1, (A, NONE): 1, (NONE, A): 1}),
        # Difficult: neither the object nor its detections count; one of another class is false.
        ([image((A, HERE, True))], [(0, A, 0.9, HERE), (0, A, 0.8, NEAR)], {}),
        ([image((A, HERE, True))], [(0, B, 0.9, HERE)], {(NONE, B): 1}),
        ([image((A, HERE, True))], [], {}),
        # Images are kept apart, in whatever order the table has them.
        ([image((A, HERE, False)), image((B, HERE, False))],
         [(1, A, 0.9, HERE), (0, B, 0.8, HERE)], {(A, B): 1, (B, A): 1}),
    ],
)  # fmt: skip
def test_small_cases(images, rows, expected):
    wanted = np.zeros((3, 3), int)
    for place, count in expected.items():
        wanted[place] = count
    assert confusion_matrix(find_errors(images, table(*rows), 2)).tolist() == wanted.tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rules", [VocRules(), VocRules(difficult="counted", iou_threshold=0.3, overlap="above")])
def test_the_counts_are_those_of_the_metric(seed, rules):
    """The table of classes beside it says found and false: the diagonal, and a column without it."""
    annotations, rows = problem(seed)
    rows = [(row[0], row[1] if place % 5 else 1 - row[1], *row[2:]) for place, row in enumerate(rows)]
    rows = [row for place, row in enumerate(rows) if place % 4]  # so that some objects are not found
    errors = find_errors(annotations, table_of(rows), 2, rules)
    counts = confusion_matrix(errors, rules)
    for label in (A, B):
        mine, counted = errors.objects.labels == label, ~errors.objects.difficult
        assert counts[label, label] == (mine & errors.found).sum() > 0
        assert counts[label].sum() == (mine & counted).sum()
        false = (errors.detections.labels == label) & (errors.kinds != NO_ERROR)
        assert counts[:, label].sum() - counts[label, label] == false.sum() > 0
    assert counts[NONE, NONE] == 0
