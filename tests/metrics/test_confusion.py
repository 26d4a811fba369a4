from pathlib import Path

import numpy as np
import pytest

from ssd300.metrics.confusion import confusion_matrix
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
        ([image((A, HERE, False))], [(0, B, 0.9, (10, 10, 30, 20))], {(A, B): 1}),  # half of it: an IoU of exactly 0.5
        ([image((A, HERE, False))], [(0, A, 0.5, HERE)], {(A, A): 1}),  # the minimum score itself is enough
        ([image((A, HERE, False))], [(0, A, 0.4, HERE)], {(A, NONE): 1}),  # not confident enough
        # The greater IoU gets the object, though the other has the higher score and the right class.
        ([image((A, HERE, False))], [(0, A, 0.9, NEAR), (0, B, 0.6, HERE)], {(A, B): 1, (NONE, A): 1}),
        # A detection pairs with one object; the second object is missed.
        ([image((A, HERE, False), (B, NEAR, False))], [(0, A, 0.9, HERE)], {(A, A): 1, (B, NONE): 1}),
        # Difficult: neither the object nor its detection counts, a second detection on it does.
        ([image((A, HERE, True))], [(0, A, 0.9, HERE), (0, A, 0.8, NEAR)], {(NONE, A): 1}),
        ([image((A, HERE, True))], [], {}),
        # Images are kept apart, in whatever order the table has them.
        ([image((A, HERE, False)), image((B, HERE, False))],
         [(1, B, 0.9, HERE), (0, A, 0.8, HERE)], {(A, A): 1, (B, B): 1}),
    ],
)  # fmt: skip
def test_small_cases(images, rows, expected):
    wanted = np.zeros((3, 3), int)
    for place, count in expected.items():
        wanted[place] = count
    assert confusion_matrix(images, table(*rows), 2, min_score=0.5).tolist() == wanted.tolist()


def test_every_object_and_every_confident_detection_is_counted_once():
    random = np.random.default_rng(0)

    def boxes(n):
        corner = random.uniform(0, 60, (n, 2))
        return np.concatenate([corner, corner + random.uniform(10, 40, (n, 2))], axis=1)

    images = [image(*((int(random.integers(2)), box, False) for box in boxes(6))) for _ in range(20)]
    rows = [(i, int(random.integers(2)), float(random.random()), box) for i in range(20) for box in boxes(15)]
    counts = confusion_matrix(images, table(*rows), 2, min_score=0.3)
    assert counts[:2].sum() == 20 * 6
    assert counts[:, :2].sum() == sum(score >= 0.3 for _, _, score, _ in rows)
    assert counts[NONE, NONE] == 0
