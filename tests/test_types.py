import re
from pathlib import Path

import numpy as np
import pytest

from ssd300.types import Annotation, Detections, DetectionTable, Selection


def found(boxes, scores, labels):
    return Detections(
        boxes=np.array(boxes, np.float64).reshape(-1, 4), scores=np.array(scores, np.float64),
        labels=np.array(labels, np.int64), classes=("cat", "dog"),
    )  # fmt: skip


def test_relative_boxes_become_pixels_and_are_cut_at_the_border():
    relative = found([[0.5, 0.25, 1.0, 1.0], [-0.1, 0, 1.2, 0.5]], [0.9, 0.8], [0, 1])
    pixels = relative.scaled((100, 200))
    assert pixels.boxes.tolist() == [[100, 25, 200, 100], [0, 0, 200, 50]]
    assert relative.boxes[0, 0] == 0.5
    assert pixels.names == ["cat", "dog"]


def test_rows_are_selected_by_a_mask():
    chosen = found([[0, 0, 1, 1]] * 3, [0.9, 0.8, 0.7], [0, 1, 0]).select([True, False, True])
    assert (chosen.scores.tolist(), chosen.labels.tolist()) == ([0.9, 0.7], [0, 0])


def test_the_best_of_each_image_keep_the_tables_order_at_equal_scores():
    table = DetectionTable(
        image_index=np.array([1, 0, 1, 1, 0]), labels=np.zeros(5, np.int64),
        scores=np.array([0.5, 0.1, 0.5, 0.9, 0.2]), boxes_px=np.zeros((5, 4)),
    )  # fmt: skip
    assert table.best_of_each_image(2).tolist() == [True, True, False, True, True]
    assert table.best_of_each_image(1).tolist() == [False, False, False, True, True]
    assert table.select(np.array([3, 0])).scores.tolist() == [0.9, 0.5]
    assert len(table.select(table.scores > 0.4)) == 3


def test_by_default_no_object_is_a_crowd():
    annotation = Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=None, boxes_px=np.zeros((2, 4)), labels=np.zeros(2, np.int64),
        difficult=np.zeros(2, bool),
    )  # fmt: skip
    assert annotation.crowd.tolist() == [False, False]


def test_the_defaults_are_caffes():
    selection = Selection()
    assert (selection.min_score, selection.max_overlap, selection.per_class, selection.top_k) == (0.01, 0.45, 400, 200)


@pytest.mark.parametrize("field", ["min_score", "max_overlap"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value}"):
        Selection(**{field: value})


def checked(**values):
    """Checks a Selection as it is checked outside of the tests, where no types are checked before."""
    selection = Selection()
    for field, value in values.items():
        object.__setattr__(selection, field, value)
    selection.__post_init__()


@pytest.mark.parametrize("value", ["a", True, [0.1, 0.2], {}])
@pytest.mark.parametrize("field", ["min_score", "max_overlap", "top_k", "per_class"])
def test_what_is_no_number_is_named(field, value):
    with pytest.raises(ValueError, match=re.escape(f"{field} is {value!r}; it must be a ")):
        checked(**{field: value})


def test_numbers_of_numpy_are_numbers():
    checked(min_score=(np.float32(0.5), 1), max_overlap=np.int64(1), top_k=np.int32(3), per_class=np.uint8(9))
    for wrong in ({"top_k": 2.5}, {"top_k": None}, {"min_score": None}, {"min_score": (0.1, "a")}):
        with pytest.raises(ValueError, match="it must be a "):
            checked(**wrong)


@pytest.mark.parametrize("field", ["top_k", "per_class"])
def test_a_number_below_one_is_named(field):
    with pytest.raises(ValueError, match=f"{field} is 0"):
        Selection(**{field: 0})
