"""Detections of our own that can be read in blocks: one file, or a folder of parts as detection in bulk writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from ssd300 import run_layout
from ssd300.data.predictions.jsonl import jsonl_blocks, looks_like_jsonl
from ssd300.data.predictions.parquet import is_parquet, parquet_blocks
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError
from ssd300.types import DetectionTable

PartFormat: TypeAlias = Literal["jsonl", "parquet"]
FOLDER = "parts"  # of a job of detection in bulk, beside its plan
BYTES: dict[PartFormat, int] = {"jsonl": 100, "parquet": 15}  # that a detection takes at least, or nearly so
READERS = {"jsonl": jsonl_blocks, "parquet": parquet_blocks}


class Parts(NamedTuple):
    """Files of one format in the order in which they are read. An image has one row in all of them."""

    files: tuple[Path, ...]
    format: PartFormat

    @property
    def most_detections(self) -> int:
        """An estimate from the files' sizes, rather too high than too low."""
        return sum(file.stat().st_size for file in self.files) // BYTES[self.format]

    def blocks(self, rows: PredictionRows) -> Iterator[DetectionTable]:
        """The detections, whole images at a time. Raises as `jsonl_blocks` and `parquet_blocks` do."""
        for file in self.files:
            yield from READERS[self.format](file, rows)


def find_parts(path: Path, *, search_run: bool = True) -> Parts | None:
    """The detections at `path`: a file, a folder of parts, or with `search_run` those of a run's evaluation.

    None: there are none of ours. Raises DataError for parts of both formats in one folder.
    """
    if path.is_file():
        return Parts((path,), "parquet") if is_parquet(path) else _lines(path)
    of_a_run = path / run_layout.EVALUATION / run_layout.DETECTIONS_JSONL
    for file in (path / run_layout.DETECTIONS_JSONL, *([of_a_run] if search_run else [])):
        if file.is_file():
            return _lines(file)
    return _of_folder(path / FOLDER if (path / FOLDER).is_dir() else path)


def _lines(file: Path) -> Parts | None:
    return Parts((file,), "jsonl") if looks_like_jsonl(file) else None


def _of_folder(folder: Path) -> Parts | None:
    found: list[Parts] = []
    for part_format in ("parquet", "jsonl"):
        files = [file for file in sorted(folder.rglob(f"*.{part_format}")) if _is_visible(file.relative_to(folder))]
        if part_format == "jsonl":
            files = [file for file in files if _holds_images(file)]
        if files:
            found.append(Parts(tuple(files), part_format))
    if len(found) > 1:
        raise DataError(
            f"the folder holds predictions twice, {found[0].files[0].name} and {found[1].files[0].name}",
            where=folder,
            fix="Name one of the files, or move the files of one format to a folder of their own.",
        )
    return found[0] if found else None


def _is_visible(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.parts)


def _holds_images(file: Path) -> bool:
    """Whether the first line is one of an image, as a folder can hold other lines too, such as those of a training."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return '"detections"' in lines.readline()
