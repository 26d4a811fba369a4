import numpy as np
import pytest

from ssd300.data.checks.coverage import best_ious
from ssd300.model.boxes import cxcywh_to_xyxy
from ssd300.model.default_boxes import COCO, PAPER, make_default_boxes
from ssd300.model.fitted_boxes import COVERED_IOU, SMALLEST, covered, fit_default_boxes


def objects(*, sides_px, count=400, seed=0):
    """Boxes of these widths and heights at random places of the image, and their class by the size."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(sides_px), count)
    sizes = np.array(sides_px)[labels] / 300 * random.uniform(0.9, 1.1, (count, 2))
    low = random.uniform(0, 1 - sizes)
    return np.concatenate([low, low + sizes], axis=1), labels


CROWDS = {
    "tiny": objects(sides_px=[(10, 14)]),
    "long and high": objects(sides_px=[(120, 24), (16, 90)]),
    "as the paper's": objects(sides_px=[(30, 30), (111, 111), (170, 85)]),
    "one object": objects(sides_px=[(20, 50)], count=1),
    "rare and frequent": objects(sides_px=[(40, 40)] * 30 + [(12, 30)]),
    "larger than the image": (np.array([[-0.2, -0.1, 1.3, 1.2], [0.0, 0.0, 1.0, 1.0]]), np.array([0, 1])),
    "empty boxes": (np.array([[0.2, 0.2, 0.2, 0.6], [0.1, 0.1, 0.2, 0.2]]), np.array([3, 0])),
    "more than the search uses": objects(sides_px=[(8, 8), (200, 60), (44, 20)], count=9000),
}


@pytest.mark.parametrize("name", CROWDS)
def test_fitted_boxes_cover_no_fewer_objects_and_are_as_many_per_cell(name):
    boxes, labels = CROWDS[name]
    fitted = fit_default_boxes(PAPER, boxes, labels)
    assert (fitted.per_cell, fitted.count, fitted.map_sizes) == (PAPER.per_cell, PAPER.count, PAPER.map_sizes)
    before, after = covered(PAPER, boxes), covered(fitted, boxes)
    assert after.sum() >= before.sum()
    for label in np.unique(labels):
        assert after[labels == label].mean() >= before[labels == label].mean() - 0.01
    assert fit_default_boxes(PAPER, boxes, labels) == fitted


@pytest.mark.parametrize(("name", "least"), [("tiny", 0.6), ("long and high", 0.95)])
def test_objects_that_the_papers_boxes_miss_are_covered(name, least):
    boxes, labels = CROWDS[name]
    assert covered(PAPER, boxes).mean() < 0.5
    assert covered(fit_default_boxes(PAPER, boxes, labels), boxes).mean() > least


@pytest.mark.parametrize("settings", [PAPER, COCO], ids=["paper", "coco"])
def test_what_is_covered_is_what_the_default_boxes_cover(settings):
    for boxes, labels in (CROWDS["tiny"], CROWDS["long and high"]):
        for one in (settings, fit_default_boxes(settings, boxes, labels)):
            literal = best_ious(boxes, cxcywh_to_xyxy(make_default_boxes(one)).double().numpy()) >= COVERED_IOU
            assert (literal != covered(one, boxes)).mean() < 0.005  # float32 rounds at the threshold


def test_without_objects_the_settings_stay():
    assert fit_default_boxes(PAPER, np.zeros((0, 4)), np.zeros(0, np.int64)) is PAPER
    assert covered(PAPER, np.zeros((0, 4))).shape == (0,)


def test_a_box_is_not_smaller_than_its_cell():
    boxes, labels = objects(sides_px=[(6, 6), (5, 9)])
    fitted = fit_default_boxes(PAPER, boxes, labels)
    for step, shapes in zip(fitted.steps_px, fitted.shapes_px, strict=True):
        assert min(width * height for width, height in shapes) > (SMALLEST * step * 0.99) ** 2 or step == 300
