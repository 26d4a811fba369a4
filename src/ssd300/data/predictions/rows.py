"""The rows that readers of stored predictions find, and the data that they belong to.

An image is found by its id, its path, or the longest end of it that one image alone has, without the ending; a class by
its name. A row that fits neither, or is for an image of another size, is an error, or is skipped and counted, as
`--on-bad-prediction` decides.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import PureWindowsPath
from typing import Any, Literal, TypeAlias

import numpy as np

from ssd300.data.dataset import fold
from ssd300.errors import DataError
from ssd300.system.wording import counted, plural
from ssd300.types import Annotation, DetectionTable

OnBadPrediction: TypeAlias = Literal["error", "skip"]
SHOWN_CLASSES = 25
USUAL_MIN_SCORE = 0.05  # a higher minimum in stored detections costs AP: precision at high recall comes from low scores
OUTSIDE_PX = 1.0  # a box that leaves its image by more is reported


@dataclass
class PredictionRows:
    """The data that predictions belong to, and the rows found so far."""

    annotations: Sequence[Annotation]
    classes: Sequence[str]
    on_bad: OnBadPrediction = "error"
    skipped: list[str] = field(init=False, default_factory=list)
    places: dict[int, str] = field(init=False, default_factory=dict)  # index of an image -> file and line of its row
    images: Mapping[str, int] = field(init=False)
    by_stem: dict[str, list[int]] = field(init=False, default_factory=dict)
    labels: Mapping[str, int] = field(init=False)
    image_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    label_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    numbers: "array[float]" = field(init=False, default_factory=lambda: array("d"))  # score and box of each row

    def __post_init__(self) -> None:
        self.labels = {form: label for label, name in enumerate(self.classes) for form in (name, fold(name))}
        images = {}
        for index, annotation in enumerate(self.annotations):
            self.by_stem.setdefault(annotation.image_path.stem, []).append(index)
            images[annotation.image_path.as_posix()] = index
        self.images = images | {annotation.image_id: index for index, annotation in enumerate(self.annotations)}

    def image(self, name: str) -> int:
        """The index of the image of this id, path or file name. Raises DataError if there is none, or several."""
        if not name:
            raise DataError("the detections do not name their image", fix="Send images with their names.")
        index = self.images.get(name)
        if index is None:
            index = self._by_end(PureWindowsPath(name))  # a path with either kind of slash
        if index is None:
            raise DataError(
                f"the image '{name}' is not in the data, or several have its name",
                fix="Name the data and the split on which the detector ran.",
            )
        return index

    def _by_end(self, written: PureWindowsPath) -> int | None:
        """The image whose path has the longest end of a written one, but for the ending; None if several have it."""
        alike = self.by_stem.get(written.stem, ())
        if len(alike) < 2:
            return alike[0] if alike else self.images.get(written.stem)
        folders = written.parts[-2::-1]
        shared = [self._shared_folders(index, folders) for index in alike]
        best = max(shared)
        return alike[shared.index(best)] if shared.count(best) == 1 else None

    def _shared_folders(self, index: int, folders: Sequence[str]) -> int:
        own = self.annotations[index].image_path.parts[-2::-1]
        equal = (mine == other for mine, other in zip(own, folders, strict=False))
        return sum(1 for _ in takewhile(bool, equal))

    def label(self, name: str) -> int:
        """The label of a class, of whose name case and spaces may differ. Raises DataError if there is none."""
        label = self.labels.get(name)
        if label is None:
            label = self.labels.get(fold(name))
        if label is None:
            known = ", ".join(self.classes[:SHOWN_CLASSES])
            raise DataError(f"the class '{name}' is not one of {known}", fix="Use the classes of the predictions.")
        return label

    def check_size(self, image: int, height: Any, width: Any) -> None:
        """Raise DataError if predictions were made on an image of another size than the image of this index.

        The sides are numbers or their texts; None, 0 or an empty text is no size. Nor is there one to compare with
        where the data has none.
        """
        known_hw = self.annotations[image].size_hw
        try:
            size_hw = tuple(round(float(side or 0)) for side in (height, width))
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"the size {width!r} x {height!r} is not two numbers") from None
        if known_hw is None or 0 in size_hw or size_hw == known_hw:
            return
        turned = ": one of the two is turned, as by EXIF data" if size_hw == known_hw[::-1] else ""
        raise DataError(
            f"the predictions are for {size_hw[1]} x {size_hw[0]} pixels, the image {self.annotations[image].image_id} "
            f"of the data has {known_hw[1]} x {known_hw[0]}{turned}",
            fix="Run the detector on the images of the data, or skip such rows with --on-bad-prediction skip.",
        )

    def add(self, image: int, label: int, numbers: Sequence[float]) -> None:
        """Add a row; `numbers` are its score and box (xyxy). Raises DataError for a number that is not finite."""
        if not math.isfinite(sum(numbers)):
            raise DataError(f"score or box is not finite: {', '.join(map(str, numbers))}")
        self.image_index.append(image)
        self.label_index.append(label)
        self.numbers.extend(numbers)

    def table(self) -> DetectionTable:
        numbers = np.array(self.numbers).reshape(-1, 5)
        return DetectionTable(
            image_index=np.array(self.image_index, dtype=np.int64),
            labels=np.array(self.label_index, dtype=np.int64),
            scores=numbers[:, 0].copy(),
            boxes_px=numbers[:, 1:].copy(),
        )

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Around the reading of what is at `where`: a fault becomes a DataError with the place, or is skipped."""
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:  # DataError is a ValueError too
            what = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
            fix = "Correct it, or skip such rows with --on-bad-prediction skip."
            if isinstance(error, DataError):
                what, fix = error.what, error.fix or fix
            if self.on_bad == "error":
                raise DataError(what, where=where, fix=fix) from None
            self.skipped.append(f"{where}: {what}")

    def notes(self) -> list[str]:
        """Remarks to print: skipped rows, images without rows, inverted boxes, boxes outside, a high minimum score."""
        table = self.table()
        notes = []
        if self.skipped:
            notes.append(
                f"{plural(len(self.skipped), 'row')} skipped by --on-bad-prediction skip; the first: {self.skipped[0]}"
            )
        empty = len(self.annotations) - len(np.unique(table.image_index))
        if empty:
            notes.append(f"{empty} of {len(self.annotations)} images have no detection")
        inverted = (table.boxes_px[:, 2:] < table.boxes_px[:, :2]).any(axis=1)
        if inverted.any():
            notes.append(
                counted(
                    int(inverted.sum()),
                    "{box is|boxes are} inverted: {it matches|they match} no object, and {counts|count} as false",
                )
            )
        sizes = np.array([annotation.size_hw or (np.inf, np.inf) for annotation in self.annotations], float)
        limits = sizes.reshape(-1, 2)[table.image_index][:, ::-1]
        outside = (table.boxes_px < -OUTSIDE_PX).any(axis=1) | (table.boxes_px[:, 2:] > limits + OUTSIDE_PX).any(axis=1)
        outside &= ~inverted
        if outside.any():
            notes.append(
                counted(
                    int(outside.sum()),
                    "{box leaves its image; it is used as it is|boxes leave their images; they are used as they are}",
                )
            )
        if len(table) and (lowest := float(table.scores.min())) > USUAL_MIN_SCORE:
            notes.append(
                f"no score is below {lowest:.3g}: detections with lower scores are missing from AP; store them, as "
                "`ssd300 detect --min-score 0.01` does"
            )
        return notes
