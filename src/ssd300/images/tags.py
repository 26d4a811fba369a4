"""Where the names of boxes go: beside their boxes, inside the image, none on top of another.

The rule: names are placed in the order of their importance. Each takes, among its places around its box, the one that
hides least of other boxes and of its own; of equal places the first one, as `_places` lists them.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

MANY = 15  # from one box more on, a name is drawn only where it hides little
LARGE = 1 / 12  # of the image: so is a name that is larger
STEP = 0.25  # places that differ by less than this share of what they hide are equally good
AROUND = 0.8  # a box that contains this share of another is around it, and is not hidden by the name of the other

Corner = tuple[int, int]


def place_tags(
    boxes_px: Float[np.ndarray, "n 4"], sizes_wh: Sequence[Corner | None], image_wh: Corner
) -> list[Corner | None]:
    """The upper left corner of each tag, or None where there is no room for it, or `sizes_wh` has None.

    The first boxes are the most important. A tag may hide other boxes, if it has no better place; but not if there are
    more than `MANY` boxes, or if it is large for the image.
    """
    result: list[Corner | None] = [None] * len(boxes_px)
    tagged = [row for row, size in enumerate(sizes_wh) if size is not None]
    if not tagged:
        return result
    sizes = np.array([sizes_wh[row] for row in tagged], dtype=np.int64)
    tags = _places(boxes_px[tagged].round().astype(np.int64), sizes, image_wh)
    costs = _hidden(tags, boxes_px, np.array(tagged))
    limits = np.array(image_wh)
    fits = (tags[..., :2] >= 0).all(-1) & (tags[..., 2:] <= limits).all(-1)
    strict = (len(boxes_px) > MANY) | (sizes.prod(-1) > LARGE * limits.prod())
    fits &= (costs < 1) | ~strict[:, None]
    taken = np.zeros((0, 4), np.int64)
    for row, places, cost, free in zip(tagged, tags, costs, fits, strict=True):
        free = free & ~_overlap(places, taken)
        if free.any():
            best = places[int(np.where(free, cost, np.inf).argmin())]
            taken = np.concatenate([taken, best[None]])
            result[row] = (int(best[0]), int(best[1]))
    return result


def _places(
    boxes: Int[np.ndarray, "n 4"], sizes: Int[np.ndarray, "n 2"], image_wh: Corner
) -> Int[np.ndarray, "n places 4"]:
    """The places of each tag, xyxy, half-open: above, inside, below, and at the sides; some are not in the image."""
    (x1, y1, x2, y2), (w, h) = boxes.T, sizes.T
    x2, y2 = x2 + 1, y2 + 1
    left, right = np.clip(x1, 0, np.maximum(image_wh[0] - w, 0)), np.maximum(x2 - w, 0)
    corners = [
        (left, y1 - h), (right, y1 - h),
        (left, y1), (left, y2), (right, y1), (right, y2),
        (x2, y1), (x1 - w, y1), (x2, y2 - h), (x1 - w, y2 - h),
        (left, y2 - h), (right, y2 - h), (left, y1 - 2 * h), (left, y2 + h),
    ]  # fmt: skip
    upper_left = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    return np.concatenate([upper_left, upper_left + sizes[:, None]], axis=-1)


def _hidden(
    tags: Int[np.ndarray, "tags places 4"], boxes: Float[np.ndarray, "n 4"], own: Int[np.ndarray, " tags"]
) -> Float[np.ndarray, "tags places"]:
    """How much a tag in each place hides, in steps: the share of it that is on another box, and of its own box."""
    rows = np.arange(len(tags))
    areas = np.maximum(_area(boxes), 1.0)
    shared = _intersections(tags.reshape(-1, 4), boxes).reshape(*tags.shape[:2], len(boxes))
    own_share = shared[rows, :, own] / areas[own, None]
    around = _intersections(boxes[own], boxes) >= AROUND * areas[own, None]
    shared *= ~around[:, None, :]
    return np.asarray(np.floor((shared.max(-1) / _area(tags) + own_share) / STEP), dtype=np.float64)


def _intersections(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The areas that boxes of both sides share: (some, others)."""
    some, others = some.T.astype(np.float32)[..., None], others.T.astype(np.float32)[:, None]
    width = np.minimum(some[2], others[2]) - np.maximum(some[0], others[0])
    height = np.minimum(some[3], others[3]) - np.maximum(some[1], others[1])
    return np.asarray(np.maximum(width, 0, out=width) * np.maximum(height, 0, out=height))


def _overlap(some: Int[np.ndarray, "n 4"], others: Int[np.ndarray, "m 4"]) -> Bool[np.ndarray, " n"]:
    """Whether each of `some` shares a pixel with any of the others."""
    some, others = some.T[..., None], others.T[:, None]
    across = (some[0] < others[2]) & (some[2] > others[0])
    return np.asarray((across & (some[1] < others[3]) & (some[3] > others[1])).any(-1))


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
