"""Detections that were stored by this program or another one, as a table to be scored against annotations.

Knows no metric. VOC's result files count pixels from 1 and include the last one; two functions here cross to our frame
and back. Every fault is named by file and line, and nothing is dropped in silence.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

import numpy as np
from jaxtyping import Float

from ssd300.errors import DataError
from ssd300.files import write_text
from ssd300.types import Annotation, DetectionTable

JSONL = "detections.jsonl"
ARCHIVES = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zip")
UNDERSTOOD = f"a folder of <competition>_det_<split>_<class>.txt (VOC results), or {JSONL} or a folder that holds it"
SHOWN_CLASSES = 25


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPredictions:
    """`table` in the order of the files; `format` is "comp4" or "jsonl"; `notes` must be said aloud."""

    table: DetectionTable
    format: str
    notes: tuple[str, ...]


def read_predictions(path: Path, annotations: Sequence[Annotation], classes: Sequence[str]) -> StoredPredictions:
    """Read a folder of VOC result files, or our `detections.jsonl` or a folder that holds it.

    An image is found by its id, its path, or else its file name without ending where only one picture has that.
    Classes go by name. An image or class without detections is a normal value, and counted in the notes.

    Raises:
        DataError: no known format or two at once; an unknown image or class, a row of the wrong form, an image twice
            (in `detections.jsonl`), or a number that is not finite: with file and line.
    """
    target = _Target(annotations, classes)
    result_files = sorted(path.glob("*_det_*.txt")) if path.is_dir() else []
    jsonl = path / JSONL if path.is_dir() else path
    if result_files and jsonl.is_file():
        raise DataError(
            f"the folder holds two predictions, VOC results and {JSONL}",
            where=path,
            fix=f"Name {jsonl}, or move the result files to a folder of their own.",
        )
    if result_files:
        notes = _read_comp4(result_files, target)
    elif jsonl.is_file() and _is_ours(jsonl):
        notes = _read_jsonl(jsonl, target)
    elif path.exists():
        packed = [file.name for file in sorted(path.glob("*")) if file.suffix in ARCHIVES] if path.is_dir() else []
        first = f"Unpack {packed[0]} first. " if packed else ""
        raise DataError("predictions of an unknown form", where=path, fix=f"{first}Understood: {UNDERSTOOD}.")
    else:
        raise DataError("there is no such file or folder", where=path, fix=f"Name {UNDERSTOOD}.")
    table = target.table()
    empty = len(annotations) - len(np.unique(table.image_index))
    if empty:
        notes.append(f"{empty} of {len(annotations)} images have no detection")
    return StoredPredictions(table=table, format="comp4" if result_files else "jsonl", notes=tuple(notes))


def write_comp4(
    folder: Path, split: str, table: DetectionTable, annotations: Sequence[Annotation], classes: Sequence[str]
) -> None:
    """Write `comp4_det_<split>_<class>.txt` for every class, empty ones too; numbers keep every digit.

    Raises:
        DataError: a class or split that cannot be part of a file name.
    """
    boxes = _to_voc(table.boxes_px)
    for label, name in enumerate(classes):
        file_name = f"comp4_det_{split}_{name}.txt"
        if PureWindowsPath(file_name).name != file_name:
            raise DataError(f"'{file_name}' is no file name", where=folder, fix="Rename the class or the split.")
        rows = np.flatnonzero(table.labels == label)
        columns = zip(table.image_index[rows].tolist(), table.scores[rows].tolist(), boxes[rows].tolist(), strict=True)
        lines = [
            f"{annotations[image].image_id} {score!r} {' '.join(map(repr, box))}\n" for image, score, box in columns
        ]
        write_text(folder / file_name, "".join(lines))


def _from_voc(xmin: float, ymin: float, xmax: float, ymax: float) -> tuple[float, float, float, float]:
    """VOC's 1-based pixels with both ends included to our 0-based half-open ones."""
    return xmin - 1, ymin - 1, xmax, ymax


def _to_voc(boxes_px: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    boxes: np.ndarray = boxes_px + np.array([1.0, 1.0, 0.0, 0.0])
    return boxes


@dataclass
class _Target:
    """The data that predictions belong to, and the rows found so far."""

    annotations: Sequence[Annotation]
    classes: Sequence[str]
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


def _read_comp4(files: Sequence[Path], target: _Target) -> list[str]:
    """Rows of `image score xmin ymin xmax ymax`, a file a class, into `target`."""
    found = set()
    for path in files:
        name = path.stem.split("_det_", 1)[1].split("_", 1)[-1]
        try:
            label = target.label(name)
        except DataError as error:
            raise DataError(error.what, where=path, fix=error.fix) from None
        found.add(name)
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                words = line.rsplit(maxsplit=5)
                if not words:
                    continue
                try:
                    if len(words) != 6:
                        raise DataError(f"the row has {len(words)} columns where 6 are needed")
                    score, xmin, ymin, xmax, ymax = map(float, words[1:])
                    target.add(target.image(words[0].strip()), label, (score, *_from_voc(xmin, ymin, xmax, ymax)))
                except ValueError as error:  # DataError is one too
                    raise _at(f"{path}:{number}", error) from None
    absent = [name for name in target.classes if name not in found]
    return [f"no file, so no detection, of: {', '.join(absent)}"] if absent else []


def _is_ours(path: Path) -> bool:
    """Whether the first line looks like `detections.jsonl`."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        first = lines.readline()
    return path.suffix == ".jsonl" or (first.startswith("{") and '"detections"' in first)


def _read_jsonl(path: Path, target: _Target) -> list[str]:
    """One line a picture into `target`."""
    seen: dict[int, int] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                image = target.image(row["image"])
                if image in seen:
                    raise DataError(f"the image '{row['image']}' stands in line {seen[image]} already")
                seen[image] = number
                for item in row["detections"]:
                    box = item["box"]
                    corners = [float(box[name]) for name in ("xmin", "ymin", "xmax", "ymax")]
                    target.add(image, target.label(item["label"]), (float(item["score"]), *corners))
            except KeyError as error:
                raise _at(f"{path}:{number}", ValueError(f"the key {error} is missing")) from None
            except (ValueError, TypeError) as error:
                raise _at(f"{path}:{number}", error) from None
    return []


def _at(where: str, error: Exception) -> DataError:
    what, fix = (error.what, error.fix) if isinstance(error, DataError) else (str(error), None)
    return DataError(what, where=where, fix=fix or "Correct the line.")
