import numpy as np
import pytest

from ssd300.data.mosaic import CENTER, mosaic, sample_center
from ssd300.types import Sample


def plain(value, boxes, size_hw=(10, 20)):
    count = len(boxes)
    return Sample(
        image=np.full((*size_hw, 3), value, np.uint8), boxes_px=np.array(boxes, float).reshape(-1, 4),
        labels=np.full(count, value, np.int64), difficult=np.zeros(count, bool), image_id=str(value), size_hw=size_hw,
    )  # fmt: skip


def test_by_hand():
    """A canvas of 40 cut at (10, 20): the quarters are 10 x 20, 30 x 20, 10 x 20 and 30 x 20."""
    samples = [
        plain(1, [[0, 0, 20, 10]]),
        plain(2, [[10, 5, 20, 10], [0, 0, 2, 1]]),
        plain(3, []),
        plain(4, [[0, 0, 20, 5]]),
    ]
    made = mosaic(samples, (0.25, 0.5), 40)
    assert made.boxes_px.tolist() == [[0, 0, 10, 20], [25, 10, 40, 20], [10, 0, 13, 2], [10, 20, 40, 30]]
    assert made.labels.tolist() == [1, 2, 2, 4]
    assert made.image[[0, 0, 39, 39], [0, 39, 0, 39], 0].tolist() == [1, 2, 3, 4]
    assert made.image[19, 9, 0] == 1
    assert made.image[20, 10, 0] == 4
    assert made.image_id == "1 + 2 + 3 + 4"
    assert made.size_hw == (40, 40)


def test_without_objects_there_are_none():
    assert mosaic([plain(value, []) for value in range(4)], (0.5, 0.5), 30).boxes_px.shape == (0, 4)


@pytest.mark.parametrize("seed", range(5))
def test_the_center_is_in_its_range(seed):
    assert all(CENTER[0] <= value <= CENTER[1] for value in sample_center(np.random.default_rng(seed)))
