"""What the reader of a format hands over: images and their objects by class name, before any policy judges them."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from ssd300.errors import DataError

Purpose = Literal["train", "test"]
Faults = Literal["raise", "keep"]  # of annotations that are not there: an error, or a fault of their images
Corners = tuple[float, float, float, float]

BORDER_SLACK_PX = 1.0  # a box may reach this far outside and is cut


class NoSplitError(DataError):
    """The data is good, but has no split for the purpose asked for."""


@dataclass(frozen=True, kw_only=True)
class LabelledObject:
    """One object; `box_px` is xyxy, 0-based and half-open. `fault` says what is wrong with it, None if nothing is.

    `crowd` is COCO's: a region of many objects, which is difficult too.
    """

    name: str
    box_px: Corners
    difficult: bool
    fault: str | None
    crowd: bool = False


@dataclass(frozen=True, kw_only=True)
class LabelledImage:
    """One image as a file describes it. `where` names that file, and the entry in it, for messages.

    `image_path` is None where the image was looked for and is not there; `size_hw` where nothing says it. `fault`
    says why the file as a whole cannot be read, None if it can be; with a fault there are no objects.
    """

    image_id: str
    image_path: Path | None
    size_hw: tuple[int, int] | None
    objects: tuple[LabelledObject, ...]
    where: str
    fault: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """What a reader found. `classes` are the format's own, None where they must be collected: `all_names` then gives
    the names of every split, as one split may lack a class that another one has. `find_images` says what to do when
    images are missing.
    """

    images: Sequence[LabelledImage]
    split: str
    notes: tuple[str, ...]
    classes: tuple[str, ...] | None
    all_names: Callable[[], set[str]]
    find_images: str


def unique_ids(paths: Sequence[str]) -> list[str]:
    """An id for each image: its name without ending, or, of equal names, the whole path as it is written."""
    stems = Counter(PurePath(path).stem for path in paths)
    return [PurePath(path).stem if stems[PurePath(path).stem] == 1 else path for path in paths]


def box_fault(box_px: Corners, size_hw: tuple[int, int] | None, shown: Corners) -> str | None:
    """What is wrong with a box, in the words and numbers (`shown`) of its file; None for a good one."""
    values = ", ".join(f"{corner:g}" for corner in shown)
    if not all(math.isfinite(corner) for corner in shown):
        return f"the box ({values}) has a corner that is missing or not a number"
    if shown[2] < shown[0] or shown[3] < shown[1]:
        return f"the box ({values}) is inverted"
    if shown[2] == shown[0] or shown[3] == shown[1]:
        return f"the box ({values}) is empty"
    if size_hw is not None:
        height, width = size_hw
        outside = max(-box_px[0], -box_px[1], box_px[2] - width, box_px[3] - height)
        if outside > BORDER_SLACK_PX:
            return f"the box ({values}) reaches out of the image of {width} x {height}"
    return None


def cut_at_border(box_px: Corners, size_hw: tuple[int, int]) -> Corners:
    height, width = size_hw
    return (max(box_px[0], 0.0), max(box_px[1], 0.0), min(box_px[2], float(width)), min(box_px[3], float(height)))
