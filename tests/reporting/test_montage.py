import io

import numpy as np
import pytest
from PIL import Image

from ssd300.reporting.montage import GAP_PX, GRIDS, draw_labels, full_grid, montage, take_apart

BAND_PX = 24  # above the smallest tiles


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


def test_a_stored_montage_is_taken_apart_again():
    colors = {"naïve 猫 <b>": "red", "second": "lime", "": "blue"}
    made = montage([(name, Image.new("RGB", (40, 20), color)) for name, color in colors.items()], columns=2, tile_px=80)
    buffer = io.BytesIO()
    made.save(buffer, format="JPEG")
    tiles = take_apart(Image.open(buffer))
    assert [caption for caption, _ in tiles] == list(colors)
    assert {tile.size for _, tile in tiles} == {(80, 40)}
    for (_, tile), color in zip(tiles, colors.values(), strict=True):
        expected = np.array(Image.new("RGB", (1, 1), color).getpixel((0, 0)))
        assert np.abs(np.asarray(tile).astype(int)[5:-5, 5:-5] - expected).max() < 40


@pytest.mark.parametrize("comment", [None, b"made by a camera", b"3", b"[[1]]"])
def test_any_other_image_is_one_tile(comment):
    image = Image.new("RGB", (4, 4))
    image.info |= {} if comment is None else {"comment": comment}
    ((caption, tile),) = take_apart(image)
    assert (caption, tile.size) == ("", (4, 4))


@pytest.mark.parametrize("count", range(1, 40))
def test_a_grid_has_no_empty_place(count):
    shown, columns = full_grid(count)
    assert 0 < shown <= min(count, max(GRIDS))
    assert shown % columns == 0
    assert shown > min(count, max(GRIDS)) / 2


def test_objects_are_drawn_on_a_copy():
    image = np.zeros((60, 80, 3), np.uint8)
    drawn = draw_labels(image, np.array([[10.0, 20, 40, 50]]), np.array([1]), ("cat", "dog"))
    assert np.asarray(drawn).any()
    assert not image.any()
