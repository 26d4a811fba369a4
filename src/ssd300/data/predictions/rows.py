"""The rows that readers of stored predictions find, and the data that they belong to.

An image is found by its id, its path, or else its file name without ending where only one image has that; a class by
its name. What fits neither is an error, or left out and counted, as the policy says.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Literal, TypeAlias

import numpy as np

from ssd300.errors import DataError
from ssd300.types import Annotation, DetectionTable

OnBadPrediction: TypeAlias = Literal["error", "skip"]
SHOWN_CLASSES = 25
USUAL_LOWEST_SCORE = 0.05  # detections are stored from here or lower: precision at high recall is made of low scores
OUTSIDE_PX = 1.0  # a box that leaves its image by more is told


@dataclass
class PredictionRows:
    """The data that predictions belong to, and the rows found so far."""

    annotations: Sequence[Annotation]
    classes: Sequence[str]
    on_bad: OnBadPrediction = "error"
    left_out: list[str] = field(init=False, default_factory=list)
    places: dict[int, str] = field(init=False, default_factory=dict)  # index of an image -> where its row stands
    images: Mapping[str, int] = field(init=False)
    labels: Mapping[str, int] = field(init=False)
    image_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    label_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    numbers: "array[float]" = field(init=False, default_factory=lambda: array("d"))  # score and box of each row

    def __post_init__(self) -> None:
        self.labels = {name: label for label, name in enumerate(self.classes)}
        stems = Counter(annotation.image_path.stem for annotation in self.annotations)
        images = {}
        for index, annotation in enumerate(self.annotations):
            if stems[annotation.image_path.stem] == 1:
                images[annotation.image_path.stem] = index
            images[annotation.image_path.as_posix()] = index
        self.images = images | {annotation.image_id: index for index, annotation in enumerate(self.annotations)}

    def image(self, name: str) -> int:
        """Its number. Raises DataError."""
        if not name:
            raise DataError("the detections do not say of which image they are", fix="Send images with their names.")
        index = self.images.get(name)
        if index is None:
            index = self.images.get(PureWindowsPath(name).stem)  # of a path with either kind of slash
        if index is None:
            raise DataError(
                f"the image '{name}' is not in the data, or several have its name",
                fix="Name the data and split that were detected on.",
            )
        return index

    def label(self, name: str) -> int:
        if name not in self.labels:
            known = ", ".join(self.classes[:SHOWN_CLASSES])
            raise DataError(f"the class '{name}' is not one of {known}", fix="Use the classes of the predictions.")
        return self.labels[name]

    def add(self, image: int, label: int, numbers: Sequence[float]) -> None:
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
        """Reading of what stands at `where`: a fault is told with the place, or noted, as the policy says."""
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:  # DataError is a ValueError too
            what = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
            fix = "Correct it, or leave such rows out with --on-bad-prediction skip."
            if isinstance(error, DataError):
                what, fix = error.what, error.fix or fix
            if self.on_bad == "error":
                raise DataError(what, where=where, fix=fix) from None
            self.left_out.append(f"{where}: {what}")

    def notes(self) -> list[str]:
        """What must be said of the rows: images without any, rows left out, boxes that are none or outside."""
        table = self.table()
        notes = []
        if self.left_out:
            notes.append(
                f"{len(self.left_out)} row(s) left out by --on-bad-prediction skip; the first: {self.left_out[0]}"
            )
        empty = len(self.annotations) - len(np.unique(table.image_index))
        if empty:
            notes.append(f"{empty} of {len(self.annotations)} images have no detection")
        inverted = (table.boxes_px[:, 2:] < table.boxes_px[:, :2]).any(axis=1)
        if inverted.any():
            notes.append(f"{int(inverted.sum())} box(es) end before they begin: they find nothing, and count as false")
        sizes = np.array([annotation.size_hw or (np.inf, np.inf) for annotation in self.annotations], float)
        limits = sizes.reshape(-1, 2)[table.image_index][:, ::-1]
        outside = (table.boxes_px < -OUTSIDE_PX).any(axis=1) | (table.boxes_px[:, 2:] > limits + OUTSIDE_PX).any(axis=1)
        outside &= ~inverted
        if outside.any():
            notes.append(f"{int(outside.sum())} box(es) leave their image; they are taken as they are")
        if len(table) and (lowest := float(table.scores.min())) > USUAL_LOWEST_SCORE:
            notes.append(
                f"no score is below {lowest:.3g}: what was cut off there is missing from AP; store from 0.01, as "
                "`ssd300 detect --min-score 0.01` does"
            )
        return notes
