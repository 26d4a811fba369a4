"""Detections of our own that can be read in blocks: one file, or a folder of parts as detection in bulk writes it, here
or at an address.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

from ssd300 import run_layout
from ssd300.data.predictions.at_address import copied, files_at, size_at
from ssd300.data.predictions.jsonl import jsonl_blocks, looks_like_jsonl
from ssd300.data.predictions.parquet import is_parquet, parquet_blocks
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError
from ssd300.types import DetectionTable

PartFormat: TypeAlias = Literal["jsonl", "parquet"]


class Reader(Protocol):
    """Reads the file at `path`, which messages name `where`."""

    def __call__(self, path: Path, rows: PredictionRows, *, where: str | None = None) -> Iterator[DetectionTable]: ...


FOLDER = "parts"  # of a job of detection in bulk, beside its plan
BYTES: dict[PartFormat, int] = {"jsonl": 100, "parquet": 15}  # that a detection takes at least, or nearly so
READERS: Mapping[PartFormat, Reader] = {"parquet": parquet_blocks, "jsonl": jsonl_blocks}


class Parts(NamedTuple):
    """Files of one format in the order in which they are read. An image has one row in all of them."""

    files: tuple[Path | str, ...]  # a text is an address
    format: PartFormat

    @property
    def most_detections(self) -> int:
        """An estimate from the files' sizes, rather too high than too low."""
        sizes = (file.stat().st_size if isinstance(file, Path) else size_at(file) for file in self.files)
        return sum(sizes) // BYTES[self.format]

    def blocks(self, rows: PredictionRows) -> Iterator[DetectionTable]:
        """The detections, whole images at a time. One file of an address at a time is copied to this machine.

        Raises as `jsonl_blocks`, `parquet_blocks`, `copied`, and at the end `PredictionRows.check_some` do.
        """
        read = READERS[self.format]
        for file in self.files:
            if isinstance(file, Path):
                yield from read(file, rows)
            else:
                with copied(file) as path:
                    yield from read(path, rows, where=file)
        rows.check_some()


def find_parts(path: Path | str, *, search_run: bool = True) -> Parts | None:
    """The detections at `path`: a file, a folder of parts, or with `search_run` those of a run's evaluation. A text is
    an address of files or of a job.

    None: there are none of ours. Raises DataError for parts of both formats in one folder, and for none at an address.
    """
    if isinstance(path, str):
        return _at_address(path)
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
    for part_format in READERS:
        files = [file for file in sorted(folder.rglob(f"*.{part_format}")) if _is_visible(file.relative_to(folder))]
        if part_format == "jsonl":
            files = [file for file in files if _holds_images(file)]
        if files:
            found.append(Parts(tuple(files), part_format))
    return _only(found, folder)


def _at_address(address: str) -> Parts | None:
    files = files_at(address, tuple(f".{form}" for form in READERS), FOLDER)
    by_format: dict[PartFormat, list[str]] = {form: [f for f in files if f.endswith(f".{form}")] for form in READERS}
    return _only([Parts(tuple(names), form) for form, names in by_format.items() if names], address)


def _only(found: Sequence[Parts], where: Path | str) -> Parts | None:
    if len(found) > 1:
        names = [str(parts.files[0]).replace("\\", "/").rpartition("/")[2] for parts in found]
        raise DataError(
            f"the folder holds predictions twice, {names[0]} and {names[1]}",
            where=where,
            fix="Name one of the files, or move the files of one format to a folder of their own.",
        )
    return found[0] if found else None


def _is_visible(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.parts)


def _holds_images(file: Path) -> bool:
    """Whether the first line is one of an image, as a folder can hold other lines too, such as those of a training."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return '"detections"' in lines.readline()
