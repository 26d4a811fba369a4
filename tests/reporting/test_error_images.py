from dataclasses import replace

import numpy as np

from ssd300.data import load_dataset
from ssd300.metrics.error_kinds import find_errors
from ssd300.reporting.error_images import IGNORED, LOST, RIGHT, WRONG, draw_errors
from ssd300.types import DetectionTable

ELSEWHERE = (100.0, 4.0, 150.0, 40.0)


def table(boxes, label):
    return DetectionTable(
        image_index=np.zeros(len(boxes), np.int64), labels=np.full(len(boxes), label),
        scores=np.linspace(0.9, 0.8, len(boxes)), boxes_px=np.array(boxes, float).reshape(-1, 4),
    )  # fmt: skip


def colors_of(image):
    return {tuple(color) for color in np.unique(np.asarray(image).reshape(-1, 3), axis=0).tolist()}


def colors(dataset, boxes, label):
    """The colors in the image of the annotations and these detections."""
    errors = find_errors(dataset.annotations, table(boxes, label), len(dataset.classes))
    images, unread = draw_errors(
        dataset,
        [0],
        {"detections": errors},
        tile_px=160,  # the width of the image, so that no color is resampled
    )
    assert unread == []
    return colors_of(images[0])


def test_each_kind_of_box_has_its_color(coloured):
    dataset = load_dataset(coloured, purpose="test")
    (annotation,) = dataset.annotations
    box, label = annotation.boxes_px[0], int(annotation.labels[0])
    assert RIGHT in colors(dataset, [box], label)
    assert {RIGHT, WRONG} <= colors(dataset, [box, ELSEWHERE], label)
    assert {WRONG, LOST} <= colors(dataset, [ELSEWHERE], label)
    assert LOST in colors(dataset, [], label)
    difficult = replace(dataset, annotations=[replace(annotation, difficult=np.array([True]))])
    assert IGNORED in colors(difficult, [box], label)
    assert RIGHT not in colors(difficult, [box], label)


def test_images_that_cannot_be_read_are_named(coloured):
    dataset = load_dataset(coloured, split="trainval")
    (coloured / "JPEGImages/p1.jpg").unlink()
    errors = find_errors(dataset.annotations, table([], 0), len(dataset.classes))
    images, unread = draw_errors(dataset, [1, 0], {"A": errors, "B": errors})
    assert (len(images), unread) == (1, ["p1"])
    assert draw_errors(dataset, [], {}) == ([], [])
