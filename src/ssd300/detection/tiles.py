"""Large images in overlapping tiles, each resized to the network's size, together with the whole image.

Objects that are small in a large image vanish when it is shrunk to the network's size; in a tile they shrink less. The
detections are merged by non-maximum suppression in each class, as within one image.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from ssd300.detection.network import Described, Network
from ssd300.errors import DataError
from ssd300.runtime.selection import suppress
from ssd300.types import Detections, Selection

OVERLAP = 0.25  # of a tile's side, at least, with the next tile
BORDER = 0.01  # of a tile's side: a box this close to an inner border may continue beyond it
TOGETHER = 8  # tiles per batch of the network
MOST_TILES = 1000  # per image: all are in memory at the same time, at the network's size


class Tile(NamedTuple):
    """The corners of a tile in pixels of the image."""

    left: int
    top: int
    right: int
    bottom: int


class CutImage(NamedTuple):
    """An image as tiles, the whole one first, each as the inner network takes it."""

    size_hw: tuple[int, int]
    tiles: list[Tile]
    inputs: list[Any]


def cut(size_hw: tuple[int, int], tile_px: int) -> list[Tile]:
    """The whole image, then evenly spaced tiles of `tile_px` pixels a side that cover it; no tiles if one would do.

    Raises:
        DataError: there would be more than MOST_TILES.
    """
    height, width = size_hw
    whole = Tile(0, 0, width, height)
    if max(height, width) <= tile_px:
        return [whole]
    count = math.prod(_count(length, tile_px) for length in (height, width))
    if count > MOST_TILES:
        raise DataError(
            f"an image of {width} x {height} makes {count:,} tiles of {tile_px} pixels; the limit is {MOST_TILES:,}",
            fix="Take larger tiles, or cut the image into several.",
        )
    rows, columns = (_starts(length, tile_px) for length in (height, width))
    return [whole] + [
        Tile(left, top, min(left + tile_px, width), min(top + tile_px, height)) for top in rows for left in columns
    ]


def _count(length: int, tile_px: int) -> int:
    return max(math.ceil((length - tile_px) / (tile_px * (1 - OVERLAP))), 0) + 1


def _starts(length: int, tile_px: int) -> list[int]:
    return [round(place) for place in np.linspace(0, max(length - tile_px, 0), _count(length, tile_px))]


class TiledNetwork:
    """A network that gets each image whole and in tiles of `tile_px` pixels a side.

    A box that ends at an inner border of a tile, and is smaller than what tiles share, is dropped: the neighbor tile
    contains the whole object.
    """

    def __init__(self, network: Network, tile_px: int) -> None:
        if tile_px < 1:
            raise ValueError(f"tile_px is {tile_px}; it must be 1 or more")
        self.network = network
        self.tile_px = tile_px

    @property
    def card(self) -> Described:
        return self.network.card

    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> CutImage:
        size_hw = (image.shape[0], image.shape[1])
        tiles = cut(size_hw, self.tile_px)
        inputs = [self.network.prepare(image[tile.top : tile.bottom, tile.left : tile.right]) for tile in tiles]
        return CutImage(size_hw, tiles, inputs)

    def predict(self, inputs: Sequence[CutImage], selection: Selection) -> list[tuple[CutImage, list[Detections]]]:
        most = getattr(self.card, "top_k", None)  # an exported file has it: each tile may have as many detections
        selection = replace(selection, top_k=min(selection.top_k, most or selection.top_k))
        flat = [one for image in inputs for one in image.inputs]
        found: list[Detections] = []
        for first in range(0, len(flat), TOGETHER):
            predictions = self.network.predict(flat[first : first + TOGETHER], selection)
            found += self.network.select(predictions, selection)
        places = iter(found)
        return [(image, [next(places) for _ in image.tiles]) for image in inputs]

    def select(
        self, predictions: Sequence[tuple[CutImage, list[Detections]]], selection: Selection
    ) -> list[Detections]:
        return [self._merged(image, found, selection) for image, found in predictions]

    def _merged(self, image: CutImage, found: Sequence[Detections], selection: Selection) -> Detections:
        height, width = image.size_hw
        boxes, used = [], []
        for tile, detections in zip(image.tiles, found, strict=True):
            scale = np.array([tile.right - tile.left, tile.bottom - tile.top] * 2)
            boxes_px = detections.boxes.astype(np.float64) * scale + np.array([tile.left, tile.top] * 2)
            whole = self._is_whole(boxes_px, tile, (height, width))
            boxes.append(boxes_px[whole] / np.array([width, height] * 2))
            used.append(detections.select(whole))
        together = Detections(
            boxes=np.concatenate(boxes),
            scores=np.concatenate([one.scores for one in used]).astype(np.float64),
            labels=np.concatenate([one.labels for one in used]),
            classes=found[0].classes,
        )
        return suppress(together, selection)

    def _is_whole(self, boxes_px: np.ndarray, tile: Tile, size_hw: tuple[int, int]) -> list[bool]:
        """For each box, whether it is to be used: it is not one whose object a neighbor tile contains whole."""
        height, width = size_hw
        near, shared = BORDER * self.tile_px, OVERLAP * self.tile_px
        left, top, right, bottom = boxes_px.T
        at_left, at_right = left < tile.left + near, right > tile.right - near
        at_top, at_bottom = top < tile.top + near, bottom > tile.bottom - near
        across = (at_left & (tile.left > 0)) | (at_right & (tile.right < width))
        down = (at_top & (tile.top > 0)) | (at_bottom & (tile.bottom < height))
        return [not cut for cut in (across & (right - left < shared)) | (down & (bottom - top < shared))]
