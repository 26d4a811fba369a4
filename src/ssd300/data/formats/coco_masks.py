"""The box around a COCO segmentation: polygons, or a mask as run lengths (RLE), packed in a string or not.

The packing is that of COCO's API (maskApi.c, rleFrString): 5 bits a character, each length less the one two before it.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ssd300.data.formats.annotations import Corners

_FIRST_CHARACTER, _BITS, _MORE, _NEGATIVE = 48, 5, 0x20, 0x10
_DIFFERENCES_FROM = 3  # the lengths after this many are stored as differences


def box_of_segmentation(segmentation: Any) -> Corners | None:
    """xyxy, half-open; None where there is no polygon and no pixel, or the entry is not as COCO has it."""
    try:
        if isinstance(segmentation, dict):
            height, _ = segmentation["size"]
            counts = segmentation["counts"]
            return _box_of_runs(_unpack(counts) if isinstance(counts, str) else counts, int(height))
        return _box_of_polygons(segmentation)
    except (TypeError, ValueError, KeyError, ArithmeticError):
        return None


def _box_of_polygons(polygons: Iterable[Any]) -> Corners | None:
    polygons = list(polygons)
    if polygons and not isinstance(polygons[0], (list, tuple)):  # a single one, not in a list
        polygons = [polygons]
    xs = [float(value) for polygon in polygons for value in polygon[::2]]
    ys = [float(value) for polygon in polygons for value in polygon[1::2]]
    if not xs or not ys or not all(map(math.isfinite, (*xs, *ys))):
        return None
    return (min(xs), min(ys), max(xs), max(ys))


def _unpack(counts: str) -> list[int]:
    lengths: list[int] = []
    value, shift = 0, 0
    for character in counts:
        code = ord(character) - _FIRST_CHARACTER
        value |= (code & (_MORE - 1)) << shift
        shift += _BITS
        if code & _MORE:
            continue
        if code & _NEGATIVE:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) >= _DIFFERENCES_FROM else 0))
        value, shift = 0, 0
    return lengths


def _box_of_runs(lengths: Sequence[int], height: int) -> Corners | None:
    """Runs of background and mask take turns, column by column."""
    boxes = []
    place = 0
    for number, length in enumerate(lengths):
        if number % 2 and length > 0:
            (left, top), (right, bottom) = divmod(place, height), divmod(place + length - 1, height)
            boxes.append((left, top, right + 1, bottom + 1) if left == right else (left, 0, right + 1, height))
        place += length
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return (float(min(lefts)), float(min(tops)), float(max(rights)), float(max(bottoms)))
