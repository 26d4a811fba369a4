"""Tiles cover an image, and what is found in them is found once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ssd300 import Detector
from ssd300.detection.network import detect
from ssd300.detection.tiles import OVERLAP, TiledNetwork, cut
from ssd300.errors import DataError
from ssd300.runtime.manifest import Manifest
from ssd300.types import Detections, Selection

SIDE = 100  # of a tile
CARD = Manifest(
    model="finder", classes=("object",), image_size_px=SIDE, resize="pillow-bilinear-antialias", precision="fp32",
    suppresses=False,
)  # fmt: skip


class Finder:
    """Finds what shines: the box around all bright pixels of each colour channel that it can see at full size."""

    def __init__(self, largest=SIDE):
        self.card = CARD
        self.largest = largest

    def prepare(self, image):
        return image if max(image.shape[:2]) <= self.largest else np.zeros((1, 1, 3), np.uint8)

    def predict(self, inputs, selection):
        return inputs

    def select(self, predictions, selection):
        results = []
        for image in predictions:
            height, width = image.shape[:2]
            boxes = []
            for channel in range(3):
                y, x = np.nonzero(image[..., channel] > 128)
                if len(x):
                    boxes.append((x.min() / width, y.min() / height, (x.max() + 1) / width, (y.max() + 1) / height))
            results.append(
                Detections(
                    boxes=np.array(boxes, np.float64).reshape(-1, 4),
                    scores=np.full(len(boxes), 0.9),
                    labels=np.zeros(len(boxes), np.int64),
                    classes=("object",),
                )
            )
        return results


@settings(deadline=None)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(40, 300))
def test_tiles_cover_the_image_and_share_what_they_must(height, width, tile_px):
    whole, *tiles = cut((height, width), tile_px)
    assert whole == (0, 0, width, height)
    if max(height, width) <= tile_px:
        assert not tiles
        return
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in tiles:
        assert right - left == min(tile_px, width)
        assert bottom - top == min(tile_px, height)
        covered[top:bottom, left:right] = True
    assert covered.all()
    columns = sorted({(tile.left, tile.right) for tile in tiles})
    for one, following in pairwise(columns):
        assert one[1] - following[0] >= OVERLAP * tile_px - 1  # rounded to pixels


@pytest.mark.parametrize("x", range(0, 380, 7))
def test_an_object_is_found_once_wherever_it_lies(x):
    image = np.zeros((150, 400, 3), np.uint8)
    image[60:80, x : x + 20] = 255, 0, 0
    result = Detector(TiledNetwork(Finder(), SIDE))(image)
    assert result.boxes.tolist() == [pytest.approx([x, 60, x + 20, 80], abs=1e-6)]


def test_a_large_object_is_found_in_the_whole_image():
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, :] = 255, 0, 0
    result = Detector(TiledNetwork(Finder(largest=400), SIDE))(image, max_overlap=0.05)
    assert result.boxes.tolist() == [pytest.approx([0, 0, 400, 400])]


def test_a_small_image_is_seen_as_without_tiles(voc_sample, light_run):
    photo = sorted(voc_sample.glob("VOC*/JPEGImages/*.jpg"))[0]
    plain = Detector.load(light_run)
    tiled = Detector.load(light_run, tile_px=600)
    np.testing.assert_allclose(tiled(photo).boxes, plain(photo).boxes)
    np.testing.assert_array_equal(tiled(photo).scores, plain(photo).scores)


def test_tiles_that_are_too_many_are_refused_before_they_are_cut(tmp_path):
    path = tmp_path / "large.png"
    Image.new("L", (3000, 2000)).save(path)
    with pytest.raises(DataError, match=r"large.png: an image of 3000 x 2000 makes 10,\d+,\d+ tiles of 1 pixel"):
        Detector(TiledNetwork(Finder(), 1))(path)


def test_a_tile_has_a_size():
    with pytest.raises(ValueError, match="tile_px is 0"):
        TiledNetwork(Finder(), 0)


def test_one_batch_of_images_of_many_sizes():
    images = [np.full((side, side, 3), 255, np.uint8) for side in (1, 99, 100, 101, 350)]
    results = detect(TiledNetwork(Finder(largest=1000), SIDE), images, Selection())
    for image, found in zip(images, results, strict=True):
        assert found.scaled(image.shape[:2]).boxes[0] == pytest.approx([0, 0, *image.shape[:2]])
