"""What the reader of a format returns: images and their objects by class name, before any policy is applied."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from ssd300.errors import DataError

Faults = Literal["raise", "report"]  # absent or broken annotation files: an error, or faults of their images
Corners = tuple[float, float, float, float]

BORDER_SLACK_PX = 1.0  # a box may reach this far outside of its image and is cut


class NoSplitError(DataError):
    """The data has no split for the purpose; callers catch it to do without one."""


@dataclass(frozen=True, kw_only=True)
class AnnotatedObject:
    """One object; `box_px` is xyxy, 0-based and half-open. `fault` is what is wrong with it, None for a good one.

    `crowd` is COCO's: a region of many objects, which is difficult too.
    """

    name: str
    box_px: Corners
    difficult: bool
    fault: str | None
    crowd: bool = False


@dataclass(frozen=True, kw_only=True)
class AnnotatedImage:
    """One image as a file describes it. `where` names that file, and the entry in it, for messages.

    `image_path` is None where an image was required and is missing; `size_hw` where the format does not have it.
    `fault` is why the annotation as a whole cannot be read, None if it can be; with a fault there are no objects.
    """

    image_id: str
    image_path: Path | None
    size_hw: tuple[int, int] | None
    objects: tuple[AnnotatedObject, ...]
    where: str
    fault: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class AnnotatedImages:
    """The images of one split. `notes` are printed.

    `classes` are those that the data lists, None where it has no list: `all_names` then returns the names of all splits
    together, as one split may lack a class of another. `find_images` is the advice where images are missing.
    """

    images: Sequence[AnnotatedImage]
    split: str
    notes: tuple[str, ...]
    classes: tuple[str, ...] | None
    all_names: Callable[[], set[str]]
    find_images: str


def unique_ids(paths: Sequence[str]) -> list[str]:
    """An id for each image: its name without ending, or, where several have that name, the path as it is written."""
    stems = Counter(PurePath(path).stem for path in paths)
    return [PurePath(path).stem if stems[PurePath(path).stem] == 1 else path for path in paths]


def box_fault(box_px: Corners, size_hw: tuple[int, int] | None, shown: Corners) -> str | None:
    """What is wrong with a box, with the numbers that are in its file (`shown`); None for a good one."""
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
