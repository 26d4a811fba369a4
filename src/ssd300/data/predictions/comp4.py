"""PASCAL VOC's result files: `<competition>_det_<split>_<class>.txt`, a line per detection.

A line is `image score xmin ymin xmax ymax`, in VOC's pixels.
"""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from ssd300.boxes import from_voc_pixels, to_voc_pixels
from ssd300.data.class_lists import COMP4_FILE, misfit
from ssd300.data.dataset import fold
from ssd300.data.predictions.rows import PredictionRows
from ssd300.data.splits import role_of
from ssd300.errors import DataError
from ssd300.system.files import write_text
from ssd300.types import Annotation, DetectionTable

PATTERN = "*_det_*.txt"
COLUMNS = 6


def write_comp4(
    folder: Path, split: str, table: DetectionTable, annotations: Sequence[Annotation], classes: Sequence[str]
) -> None:
    """Write `comp4_det_<split>_<class>.txt` for every class, empty ones too; numbers keep every digit.

    Raises:
        DataError: a class or split that cannot be part of a file name. No file is written then.
    """
    if (why := misfit("comp4", classes)) is not None:
        raise DataError(why, where=folder, fix="Rename the class, or write another format.")
    boxes = np.stack(to_voc_pixels(*table.boxes_px.T), axis=1)
    for label, name in enumerate(classes):
        file_name = COMP4_FILE.format(split=split, name=name)
        if PureWindowsPath(file_name).name != file_name:
            raise DataError(f"'{file_name}' is no file name", where=folder, fix="Rename the split.")
        rows = np.flatnonzero(table.labels == label)
        columns = zip(table.image_index[rows].tolist(), table.scores[rows].tolist(), boxes[rows].tolist(), strict=True)
        lines = [
            f"{annotations[image].image_id} {score!r} {' '.join(map(repr, box))}\n" for image, score, box in columns
        ]
        write_text(folder / file_name, "".join(lines))


def read_comp4(files: Sequence[Path], rows: PredictionRows) -> list[str]:
    """Read the files, one per class, into `rows`. Returns a note on classes without a file, if there are any."""
    found = set()
    for path in files:
        label = None
        with rows.at(str(path)):
            label = rows.label(_class_of(path, rows.classes))
        if label is None:  # skipped, and noted
            continue
        found.add(rows.classes[label])
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    with rows.at(f"{path}:{number}"):
                        _add_line(line, label, rows)
    absent = [name for name in rows.classes if name not in found]
    return [f"no file, so no detection, of: {', '.join(absent)}"] if absent else []


def _class_of(path: Path, classes: Sequence[str]) -> str:
    """What follows the split in the name of a file. The split is one word, or a usual name (coco_val)."""
    words = path.stem.split("_det_", 1)[1].split("_")
    readings = ["_".join(words[count:]) for count in range(1, len(words))
                if count == 1 or role_of("_".join(words[:count])) is not None]  # fmt: skip
    known = set(map(fold, classes))
    return next((name for name in readings if fold(name) in known), readings[0] if readings else words[0])


def _add_line(line: str, label: int, rows: PredictionRows) -> None:
    words = line.rsplit(maxsplit=COLUMNS - 1)  # an image's name may hold spaces
    if len(words) != COLUMNS:
        raise DataError(f"the row has {len(words)} columns where {COLUMNS} are needed")
    score, xmin, ymin, xmax, ymax = map(float, words[1:])
    rows.add(rows.image(words[0].strip()), label, (score, *from_voc_pixels(xmin, ymin, xmax, ymax)))
