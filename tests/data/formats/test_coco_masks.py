import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as by_pycocotools

from ssd300.data.formats.coco_masks import box_of_segmentation

SQUARE = [1, 2, 5, 2, 5, 8, 1, 8]


@pytest.mark.parametrize(
    ("segmentation", "box"),
    [
        ([SQUARE], (1, 2, 5, 8)),
        (SQUARE, (1, 2, 5, 8)),  # a polygon that is not in a list
        ([SQUARE, [9.5, 0.5, 7, 4, 8, 5]], (1, 0.5, 9.5, 8)),  # an object in two parts
        ([["1", "2", "5", "2", "5", "8"]], (1, 2, 5, 8)),
        # A mask of 4 x 3 pixels, column by column: pixel (1, 2) alone, then rows 3 and 0 of two columns.
        ({"size": [4, 3], "counts": [6, 1, 5]}, (1, 2, 2, 3)),
        ({"size": [4, 3], "counts": [3, 2, 7]}, (0, 0, 2, 4)),
        ({"size": [4, 3], "counts": [0, 12]}, (0, 0, 3, 4)),
        ({"size": [4, 3], "counts": [0, 1, 10, 1]}, (0, 0, 3, 4)),
    ],
)
def test_by_hand(segmentation, box):
    assert box_of_segmentation(segmentation) == box


@pytest.mark.parametrize(
    "segmentation",
    [
        None, [], {}, "", 7, [[]], [[1]], [["a", "b"]], [[math.nan, 1, 2, 2]], [[math.inf, 1]], [None],
        {"counts": [1, 2]}, {"size": [4, 3]}, {"size": [4, 3], "counts": [12]}, {"size": [4, 3], "counts": []},
        {"size": [4, 3], "counts": ""}, {"size": [4, 3], "counts": "é"},
        {"size": [4, 3], "counts": [3, 0, 9]}, {"size": [0, 3], "counts": [0, 3]}, {"size": 4, "counts": [1]},
        {"size": [4, 3], "counts": None}, {"size": [4, 3], "counts": ["a"]}, {"size": ["a", 3], "counts": [1, 2]},
    ],
)  # fmt: skip
def test_what_is_no_mask_has_no_box(segmentation):
    assert box_of_segmentation(segmentation) is None


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 1)))
def test_as_pycocotools_reads_masks(mask):
    packed = by_pycocotools.encode(np.asfortranarray(mask))
    x, y, width, height = by_pycocotools.toBbox(packed)
    box = (x, y, x + width, y + height) if mask.any() else None
    columns = mask.T.reshape(-1)  # its run lengths, as `frPyObjects` takes them
    changes = np.flatnonzero(np.diff(np.concatenate(([0], columns, [1 - columns[-1]]))))
    lengths = np.diff(np.concatenate(([0], changes))).tolist()
    size = list(mask.shape)
    assert box_of_segmentation({"size": size, "counts": packed["counts"].decode()}) == box
    assert box_of_segmentation({"size": size, "counts": lengths}) == box


def test_long_lengths_are_unpacked_as_pycocotools_does():
    mask = np.zeros((2000, 3000), np.uint8)
    mask[150:1700, 700:2950] = 1
    packed = by_pycocotools.encode(np.asfortranarray(mask))
    assert box_of_segmentation({"size": [2000, 3000], "counts": packed["counts"].decode()}) == (700, 150, 2950, 1700)
