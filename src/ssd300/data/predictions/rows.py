"""The rows that readers of stored predictions find, and the data that they belong to.

An image is found by its id, its path, or the longest end of it that one image alone has, without the ending; a class by
its name. A row that fits neither, or is for an image of another size, is an error, or is skipped and counted, as
`--on-bad-prediction` decides. Rows of images in other splits of the data are left out and counted.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any, Literal, TypeAlias

import numpy as np

from ssd300.data.dataset import fold
from ssd300.data.predictions.origin import UNKNOWN, Origin, OtherSplitError, OtherSplits, shared_beginning
from ssd300.data.predictions.remarks import Remarks
from ssd300.errors import DataError
from ssd300.system.wording import counted, plural
from ssd300.types import Annotation, DetectionTable

OnBadPrediction: TypeAlias = Literal["error", "skip"]
SHOWN_CLASSES = 25


@dataclass
class PredictionRows:
    """The data that predictions belong to, and the rows found since the last `take`."""

    annotations: Sequence[Annotation]
    classes: Sequence[str]
    on_bad: OnBadPrediction = "error"
    origin: Origin = UNKNOWN
    read: int = field(init=False, default=0)  # rows of images, also of those that are left out
    left_out: Counter[str] = field(init=False, default_factory=Counter)  # rows by the split that has their image
    skipped: int = field(init=False, default=0)
    first_skipped: str = field(init=False, default="")
    remarks: Remarks = field(init=False)
    places: dict[int, str] = field(init=False, default_factory=dict)  # index of an image -> file and line of its row
    images: Mapping[str, int] = field(init=False)
    other_splits: OtherSplits | None = field(init=False, default=None)  # None before they are read
    by_stem: dict[str, list[int]] = field(init=False, default_factory=dict)
    labels: Mapping[str, int] = field(init=False)
    image_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    label_index: "array[int]" = field(init=False, default_factory=lambda: array("q"))
    numbers: "array[float]" = field(init=False, default_factory=lambda: array("d"))  # score and box of each row

    def __post_init__(self) -> None:
        self.remarks = Remarks(self.annotations, self.origin)
        if (self.origin.rows or 0) > len(self.annotations):
            self._read_other_splits()
        self.labels = {form: label for label, name in enumerate(self.classes) for form in (name, fold(name))}
        images = {}
        for index, annotation in enumerate(self.annotations):
            self.by_stem.setdefault(annotation.image_path.stem, []).append(index)
            images[annotation.image_path.as_posix()] = index
        self.images = images | {annotation.image_id: index for index, annotation in enumerate(self.annotations)}

    def image(self, name: str) -> int:
        """The index of the image of this id, path or file name. Raises DataError if there is none, or several, and
        OtherSplitError if another split has it.
        """
        if not name:
            raise DataError("the detections do not name their image", fix="Send images with their names.")
        index = self.images.get(name)
        if index is None:
            written = PureWindowsPath(name)  # a path with either kind of slash
            index = self._by_end(written)
            if index is None:
                self._read_other_splits()
            self._check_other_splits(name, written, index)
        if index is None:
            raise DataError(
                f"the image '{name}' is not in the data, or several have its name",
                fix="Name the data on which the detector ran, or skip such rows with --on-bad-prediction skip.",
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
        return shared_beginning(self.annotations[index].image_path.parts[-2::-1], folders)

    def _read_other_splits(self) -> None:
        if self.other_splits is None:
            self.other_splits = OtherSplits(self.origin.other_splits())

    def _check_other_splits(self, name: str, written: PureWindowsPath, index: int | None) -> None:
        """Raise OtherSplitError if an image of another split fits better than the one of this index."""
        other = None if self.other_splits is None else self.other_splits.split_of(written)
        if other is not None and (index is None or other[0] > self._shared_folders(index, written.parts[-2::-1])):
            raise OtherSplitError(name, other[1])

    def label(self, name: str) -> int:
        """The label of a class, of whose name case and spaces may differ. Raises DataError if there is none."""
        label = self.labels.get(name)
        if label is None:
            label = self.labels.get(fold(name))
        if label is None:
            known = ", ".join(self.classes[:SHOWN_CLASSES])
            raise DataError(f"the class '{name}' is not one of {known}", fix="Use the classes of the predictions.")
        return label

    def place(self, name: str, where: str, height: Any, width: Any) -> int:
        """The index of the image whose row is at `where`. Raises DataError for a second row, or one of another size."""
        self.read += 1
        image = self.image(name)
        if image in self.places:
            if self.other_splits is None:
                self._read_other_splits()
                image = self.image(name)
            raise DataError(f"the image '{name}' is at {self.places[image]} already")
        self.places[image] = where
        self.check_size(image, height, width)
        return image

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

    def take(self) -> DetectionTable:
        """The rows that were added since the last time, which are forgotten here. They end with an image's last one."""
        numbers = np.array(self.numbers).reshape(-1, 5)
        table = DetectionTable(
            image_index=np.array(self.image_index, dtype=np.int64),
            labels=np.array(self.label_index, dtype=np.int64),
            scores=numbers[:, 0].copy(),
            boxes_px=numbers[:, 1:].copy(),
        )
        self.remarks.look(table)
        self.image_index, self.label_index, self.numbers = array("q"), array("q"), array("d")
        return table

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Around the reading of what is at `where`: a fault becomes a DataError with the place, or is skipped."""
        try:
            yield
        except OtherSplitError as error:
            self.left_out[error.split] += 1
        except (ValueError, TypeError, KeyError) as error:  # DataError is a ValueError too
            what = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
            fix = "Correct it, or skip such rows with --on-bad-prediction skip."
            if isinstance(error, DataError):
                what, fix, where = error.what, error.fix or fix, str(error.where or where)
            if self.on_bad == "error":
                raise DataError(what, where=where, fix=fix) from None
            self.skipped += 1
            self.first_skipped = self.first_skipped or f"{where}: {what}"

    def notes(self) -> list[str]:
        """Remarks to print on what was taken: rows left out or skipped first, then those of `Remarks`."""
        notes = []
        if self.left_out:
            what = "{row is of an image|rows are of images} in other splits of the data, and left out"
            notes.append(f"{counted(self.left_out.total(), what)}: {self._left_out()}")
        if self.skipped:
            rows = plural(self.skipped, "row")
            notes.append(f"{rows} skipped by --on-bad-prediction skip; the first: {self.first_skipped}")
        return [*notes, *self.remarks.notes(with_a_row=len(self.places) if self.read else None)]

    def check_some(self) -> None:
        """Raise DataError if rows were read, and all of them are of other splits, unless such rows are skipped."""
        if self.left_out and not self.places and self.on_bad == "error":
            raise DataError(
                f"no row is of an image in this split; rows in other splits: {self._left_out()}",
                fix="Name the split with --split.",
            )

    def _left_out(self) -> str:
        return ", ".join(f"{split} {count:,}" for split, count in self.left_out.items())
