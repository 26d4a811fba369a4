"""What SSD300 can learn of the objects: which of them some default box matches, and which are tiny for the network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from ssd300.boxes import iou_px
from ssd300.data.dataset import fold
from ssd300.data.formats.annotations import AnnotatedImage
from ssd300.data.problems import Fault, Problem

COVERED_IOU = 0.5  # matching's threshold: an object below it is matched by its best default box alone
FEW_PIXELS = 4.0  # of the shorter side at the network's size
LITTLE_COVERED = 0.75  # share of a class's objects
SIZES_PX = (0, 16, 32, 64, 128)  # where the groups by size begin: roots of areas at the network's size
SIZES_IN_WORDS = (
    f"under {SIZES_PX[1]}",
    *(f"{low} to {high}" for low, high in pairwise(SIZES_PX[1:])),
    f"{SIZES_PX[-1]} or more",
)
CHUNK = 256
COMPARED = 2000  # objects of a class, spread over all of them, that other default boxes are tried on
BETTER = 0.05  # of the share, for other default boxes to be advised


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Objects of one class, or of one size, and for how many some default box has an IoU of `COVERED_IOU` or more."""

    objects: int
    covered: int

    @property
    def share(self) -> float | None:
        return self.covered / self.objects if self.objects else None


@dataclass(frozen=True, kw_only=True, eq=False)
class UsableBoxes:
    """The objects without a fault of images without one whose size is known. `places` are files and numbers in them.

    `boxes` are xyxy, relative to the image; `sides_px` the roots of their areas at the network's size. `clicks` are the
    objects of the rule one-pixel-box.
    """

    names: Sequence[str]
    places: Sequence[tuple[str, int]]
    boxes: Float[np.ndarray, "n 4"]
    sides_px: Float[np.ndarray, " n"]
    clicks: Sequence[bool]

    def of_class(self, name: str) -> np.ndarray:
        """Which of the objects are of this class."""
        rows: np.ndarray = np.array(self.names, dtype=object) == name
        return rows


def usable_boxes(images: Sequence[AnnotatedImage], classes: Iterable[str], size_px: int) -> UsableBoxes:
    """The boxes of all images; a name is that of `classes` which differs at most by case and spaces."""
    usual = {fold(name): name for name in classes}
    names, places, boxes, clicks = [], [], [], []
    for image in images:
        if image.size_hw is None or image.fault is not None:
            continue
        scale = np.array([image.size_hw[1], image.size_hw[0]] * 2, dtype=np.float64)
        for number, item in enumerate(image.objects, start=1):
            if item.fault is None:
                names.append(usual[fold(item.name)])
                places.append((image.where, number))
                boxes.append(np.array(item.box_px) / scale)
                clicks.append(any(remark.rule == "one-pixel-box" for remark in item.remarks))
    relative = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.sqrt((relative[:, 2] - relative[:, 0]) * (relative[:, 3] - relative[:, 1])) * size_px
    return UsableBoxes(names=names, places=places, boxes=relative, sides_px=sides, clicks=clicks)


def cover(
    usable: UsableBoxes, default_boxes: Float[np.ndarray, "boxes 4"], classes: Iterable[str]
) -> dict[str, dict[str, Coverage]]:
    """The coverage of each class that has objects ('classes'), and of each group by size ('sizes_px')."""
    covered = best_ious(usable.boxes, default_boxes) >= COVERED_IOU
    group = np.digitize(usable.sides_px, SIZES_PX)
    return {
        "classes": cover_by_class(usable, covered, classes),
        "sizes_px": {
            f"from {low}": _coverage(covered[group == number]) for number, low in enumerate(SIZES_PX, start=1)
        },
    }


def cover_by_class(usable: UsableBoxes, covered: Bool[np.ndarray, " n"], classes: Iterable[str]) -> dict[str, Coverage]:
    """The coverage of each class that has objects."""
    present = set(usable.names)
    return {name: _coverage(covered[usable.of_class(name)]) for name in classes if name in present}


def _coverage(covered: np.ndarray) -> Coverage:
    return Coverage(objects=len(covered), covered=int(covered.sum()))


def tiny_boxes(usable: UsableBoxes, size_px: int) -> Iterable[Problem]:
    """Objects with a side of under `FEW_PIXELS` at the network's size, but for clicks, which have a rule."""
    rows = zip(usable.names, usable.places, usable.boxes, usable.clicks, strict=True)
    for name, (file, number), box, click in rows:
        if not click and (shortest := float((box[2:] - box[:2]).min()) * size_px) < FEW_PIXELS:
            yield Fault("tiny-box", f"{shortest:.1f} pixels wide or high at the network's {size_px}").at(
                file, number, name=name
            )


def uncovered_classes(
    usable: UsableBoxes,
    coverage: Mapping[str, Mapping[str, Coverage]],
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]],
    size_px: int,
) -> Iterable[Problem]:
    """Classes of which default boxes cover less than `LITTLE_COVERED`. `coverage` has 'classes' and 'fitted'."""
    for name, found in coverage["classes"].items():
        if found.share is not None and found.share < LITTLE_COVERED:
            mine = usable.of_class(name)
            typical = float(np.median(usable.sides_px[mine]))
            yield Fault(
                "uncovered-class",
                f"only {found.share:.0%} of '{name}' have a default box with an IoU of {COVERED_IOU:g} or "
                f"more; half of them are smaller than {typical:.0f} pixels once the image is resized to {size_px}",
                _advice(usable.boxes[mine], found.share, coverage["fitted"].get(name), alternatives),
            ).at("")


def _advice(
    boxes: Float[np.ndarray, "n 4"],
    share: float,
    fitted: Coverage | None,
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]],
) -> str:
    """Which of the alternatives cover more of the boxes, those that are fitted first."""
    tried = boxes[:: -(-len(boxes) // COMPARED)]
    shares = {words: float((best_ious(tried, other) >= COVERED_IOU).mean()) for words, other in alternatives.items()}
    if fitted is not None and fitted.share is not None:
        shares = {"--default-boxes fitted": fitted.share, **shares}
    better = [f"{words} would fit {value:.0%}" for words, value in shares.items() if value > share + BETTER]
    return "Each of the others has one default box alone, the nearest. " + (
        "; ".join(better) + "." if better else "None of the other sets fits more: cut large images into tiles."
    )


def best_ious(boxes: Float[np.ndarray, "n 4"], default_boxes: Float[np.ndarray, "boxes 4"]) -> Float[np.ndarray, " n"]:
    """The greatest IoU of each box with any default box, both xyxy in one frame."""
    narrow = default_boxes.astype(np.float32)
    best = [np.zeros(0, np.float32)]
    for first in range(0, len(boxes), CHUNK):
        best.append(iou_px(boxes[first : first + CHUNK, None].astype(np.float32), narrow).max(axis=1))
    return np.concatenate(best)
