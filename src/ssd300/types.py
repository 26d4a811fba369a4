"""The types that the packages share, of numpy arrays: annotations, samples, detections; and what counts as a detection.

Does not know files and torch. Boxes are xyxy in pixels, 0-based and half-open: a box from column 3 to column 5, both
included, is (3, y, 6, y'), so its width is the difference of its corners.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

EVALUATION_MIN_SCORE = 0.01  # ssd_pascal.py:396
Found = TypeVar("Found", bound="Detections")


SHOWN, SHOWN_LETTERS = 5, 40  # detections in a text, and letters of a name


def _check_lengths(owner: object, n: int, **columns: np.ndarray) -> None:
    for name, column in columns.items():
        if len(column) != n:
            raise ValueError(f"{type(owner).__name__}.{name} has {len(column)} rows where boxes has {n}")


def _cut(name: str) -> str:
    return name if len(name) <= SHOWN_LETTERS else f"{name[: SHOWN_LETTERS - 1]}…"


def _shape(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Annotation:
    """The objects of one image, without its pixels.

    `boxes_px` are in pixels of the image, `labels` are 0-based indices into the dataset's classes. `size_hw` is None
    where the format does not hold it. `difficult` objects are used for training unless the user drops them, and are
    ignored in the VOC metric. `crowd` marks COCO's regions of many objects; by default no object is one.
    `content` gives the content of the file of an image that lies in another file, such as a shard; it raises DataError.
    `image_path` is then the image's name, and no file.

    Raises:
        ValueError: the arrays differ in length.
    """

    image_id: str
    image_path: Path
    size_hw: tuple[int, int] | None
    boxes_px: Float[np.ndarray, "n 4"]
    labels: Int[np.ndarray, " n"]
    difficult: Bool[np.ndarray, " n"]
    crowd: Bool[np.ndarray, " m"] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    content: Callable[[], bytes] | None = None

    def __repr__(self) -> str:
        return f"Annotation({self.image_id!r}, objects={len(self)}, size_hw={self.size_hw})"

    def __post_init__(self) -> None:
        if len(self.crowd) == 0:
            object.__setattr__(self, "crowd", np.zeros(len(self.boxes_px), dtype=bool))
        _check_lengths(self, len(self.boxes_px), labels=self.labels, difficult=self.difficult, crowd=self.crowd)

    def __len__(self) -> int:
        return len(self.boxes_px)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sample:
    """One decoded image (RGB) with its objects, boxes in pixels of `image`. `size_hw` is the original image's.

    Raises:
        ValueError: the arrays differ in length.
    """

    image: UInt8[np.ndarray, "h w 3"]
    boxes_px: Float[np.ndarray, "n 4"]
    labels: Int[np.ndarray, " n"]
    difficult: Bool[np.ndarray, " n"]
    image_id: str
    size_hw: tuple[int, int]

    def __repr__(self) -> str:
        return f"Sample({self.image_id!r}, objects={len(self.boxes_px)}, image={_shape(self.image)})"

    def __post_init__(self) -> None:
        _check_lengths(self, len(self.boxes_px), labels=self.labels, difficult=self.difficult)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Detections:
    """The detections of one image, best score first. There may be none.

    `boxes` are xyxy: relative (0..1, not clipped) as the network gives them, in pixels of the original image after
    `scaled`. `labels` are 0-based indices into `classes`, which does not hold background.

    Raises:
        ValueError: the arrays differ in length.
    """

    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    classes: Sequence[str]

    def __repr__(self) -> str:
        """Such as '2 detections: dog 0.98, cat 0.51'."""
        return self._describe("")

    def _describe(self, where: str) -> str:
        rows = zip(self.names, self.scores.tolist(), strict=True)
        best = [f"{_cut(name)} {score:.2f}" for name, score in islice(rows, SHOWN)]
        count = f"{len(self) or 'no'} detection{'' if len(self) == 1 else 's'}{where}"
        return f"{count}: {', '.join(best)}{', …' if len(self) > SHOWN else ''}" if best else count

    def __post_init__(self) -> None:
        _check_lengths(self, len(self.boxes), scores=self.scores, labels=self.labels)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def names(self) -> list[str]:
        """The class name of each detection."""
        return [self.classes[label] for label in self.labels]

    def captions(self, names: Sequence[str]) -> list[str]:
        """What is drawn beside each box: its name, of `names`, and its score."""
        return [f"{name} {score:.2f}" for name, score in zip(names, self.scores, strict=True)]

    def scaled(self, size_hw: tuple[int, int]) -> "Detections":
        """A copy with relative boxes as pixels of an image of `size_hw`, cut at its border."""
        height, width = size_hw
        limits = np.array([width, height, width, height], dtype=self.boxes.dtype)
        return replace(self, boxes=np.clip(self.boxes * limits, 0, limits))

    def select(self: Found, keep: Sequence[bool]) -> Found:
        """A copy with the rows where `keep`, one value per row, is true."""
        rows = np.asarray(keep, dtype=bool)
        return replace(self, boxes=self.boxes[rows], scores=self.scores[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DetectionTable:
    """Detections of many images, one per row in any order, as metrics take them and prediction files hold them.

    `image_index` is the row of the image in the list of annotations that they are scored against. `labels` are 0-based
    indices into the classes. `boxes_px` are in pixels of the image.

    Raises:
        ValueError: the arrays differ in length.
    """

    image_index: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    boxes_px: Float[np.ndarray, "n 4"]

    def __repr__(self) -> str:
        return f"DetectionTable({len(self):,} detections)"

    def __post_init__(self) -> None:
        _check_lengths(self, len(self.boxes_px), image_index=self.image_index, labels=self.labels, scores=self.scores)

    def __len__(self) -> int:
        return len(self.boxes_px)

    def best_of_each_image(self, most: int) -> Bool[np.ndarray, " n"]:
        """Which rows are among the `most` best of their image. Equal scores keep the table's order."""
        order = np.lexsort((-self.scores, self.image_index))
        images = self.image_index[order]
        kept = np.zeros(len(self), bool)
        kept[order] = np.arange(len(self)) - np.searchsorted(images, images) < most
        return kept

    def select(self, rows: Int[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> "DetectionTable":
        """The table of some rows: those of the given numbers, in that order, or those where the mask is true."""
        return DetectionTable(
            image_index=self.image_index[rows],
            labels=self.labels[rows],
            scores=self.scores[rows],
            boxes_px=self.boxes_px[rows],
        )


def join(tables: Sequence[DetectionTable]) -> DetectionTable:
    """The rows of all tables, one after the other. Of no table, a table without rows."""
    return DetectionTable(
        image_index=np.concatenate([np.zeros(0, np.int64), *(table.image_index for table in tables)]),
        labels=np.concatenate([np.zeros(0, np.int64), *(table.labels for table in tables)]),
        scores=np.concatenate([np.zeros(0), *(table.scores for table in tables)]),
        boxes_px=np.concatenate([np.zeros((0, 4)), *(table.boxes_px for table in tables)]),
    )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What counts as a detection; the defaults are those of Caffe's evaluation (ssd_pascal.py:396,405).

    The score must be above the confidence threshold `min_score`, one for all classes or a tuple with one per class. Of
    each class the best `per_class` candidates, None for all, go through non-maximum suppression (NMS): a box is
    suppressed if its IoU with a better one of its class is above `max_overlap`. Of all classes together the best
    `top_k` of an image are returned.

    Raises:
        ValueError: a threshold is no number in 0..1, or a count no whole number from 1 on.
    """

    min_score: float | tuple[float, ...] = EVALUATION_MIN_SCORE
    max_overlap: float = 0.45
    top_k: int = 200
    per_class: int | None = 400

    def __post_init__(self) -> None:
        scores = self.min_score if isinstance(self.min_score, tuple) else (self.min_score,)
        for name, values in (("min_score", scores), ("max_overlap", (self.max_overlap,))):
            for value in values:
                if not _is_a(Real, value):
                    raise ValueError(f"{name} is {value!r}; it must be a number in 0..1")
                if not 0 <= value <= 1:
                    raise ValueError(f"{name} is {value}; it must be in 0..1")
        _check_count("top_k", self.top_k, "")
        if self.per_class is not None:
            _check_count("per_class", self.per_class, ", or None for all")


def _check_count(name: str, value: Any, otherwise: str) -> None:
    if not _is_a(Integral, value):
        raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or more{otherwise}")
    if value < 1:
        raise ValueError(f"{name} is {value}; it must be 1 or more{otherwise}")


def _is_a(kind: type, value: object) -> bool:
    """Whether it is a number of this kind, numpy's too. True and False, which are numbers to Python, are none."""
    return isinstance(value, kind) and not isinstance(value, bool)
