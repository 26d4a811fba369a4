import numpy as np
import pytest
from PIL import Image

from ssd300.reporting.montage import BAND_PX, GAP_PX, draw_labels, montage


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_rows_of_tiles(count):
    images = [("naïve 猫 " * 20, Image.new("RGB", (40, 20), "red"))] * count
    made = montage(images, columns=2, tile_px=80)
    columns, rows = min(max(count, 1), 2), -(-count // 2)
    height = rows * (BAND_PX + 40 + GAP_PX) - GAP_PX if rows else 1
    assert made.size == (columns * (80 + GAP_PX) - GAP_PX, height)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (4000, 3)])
def test_extreme_shapes_fit_their_tile(size):
    assert montage([("", Image.new("RGB", size))], columns=1, tile_px=80).width == 80


def test_objects_are_drawn_on_a_copy():
    image = np.zeros((60, 80, 3), np.uint8)
    drawn = draw_labels(image, np.array([[10.0, 20, 40, 50]]), np.array([1]), ("cat", "dog"))
    assert np.asarray(drawn).any()
    assert not image.any()
