"""The work on one chunk: its images through a detector, its rows into its part. Every engine does it by this code."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssd300.detection.bulk.chunks import Chunk
from ssd300.detection.bulk.members import members
from ssd300.detection.bulk.parquet_input import Member
from ssd300.detection.bulk.plan import Entry, read_chunk
from ssd300.detection.bulk.rows import PartFormat, Row, encoded, error_row, part_name, read_part, row_of
from ssd300.detection.detector import Detector
from ssd300.detection.network import Network
from ssd300.detection.results import Result
from ssd300.detection.tiles import TiledNetwork
from ssd300.errors import DataError, RunError, SSDError, UsageError
from ssd300.system.stores import is_remote, open_store
from ssd300.types import Selection

Kept = Mapping[tuple[int, str], Row]  # rows of an earlier start by place and id
Tick = Callable[[], None]  # is called after each image


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done with every chunk. `base` is the folder that relative paths start from, `out` the place of the job.

    Detections of the classes `suppress` are dropped. With `retry` the rows with an error are done again.
    """

    out: str
    base: str
    form: PartFormat
    selection: Selection
    suppress: Collection[str]
    batch_size: int
    retry: bool = False


@dataclass(frozen=True)
class Done:
    """A chunk that is done: how many rows its part has, how many were made now, and how many of all have an error.

    `others` are members of a tar file that are no images.
    """

    chunk: str
    rows: int
    new: int
    errors: int
    others: int
    seconds: float


class Worker:
    """Does chunks, one after the other."""

    def __init__(self, network: Network, work: Work, tile_px: int | None = None) -> None:
        self.detector = Detector(network if tile_px is None else TiledNetwork(network, tile_px))
        self.work = work
        self.store = open_store(work.out if is_remote(work.out) else Path(work.base) / work.out)

    def do(self, entry: Entry, tick: Tick = lambda: None) -> Done:
        """Detect on the chunk and write its part.

        Raises:
            RunError: the part cannot be written.
            DataError: the plan cannot be read.
        """
        started = time.monotonic()
        chunk, part = read_chunk(self.store, entry), part_name(entry.name, self.work.form)
        kept = self._kept(part) if self.work.retry else {}
        others: list[str] = []
        made = self._rows(chunk, kept, others, tick)
        seconds = time.monotonic() - started
        for row in made.values():
            row["seconds"] = seconds / len(made)
        rows = [row for _, row in sorted([*made.items(), *((place, row) for (place, _), row in kept.items())])]
        self.store.write(part, encoded(rows, self.work.form))
        errors = sum(row["error"] is not None for row in rows)
        return Done(entry.name, len(rows), len(made), errors, len(others), seconds)

    def _kept(self, part: str) -> Kept:
        """The rows without an error of a part; none if it is not there, or damaged."""
        try:
            rows = read_part(self.store, part)
        except DataError:
            return {}
        return {(place, row["id"]): row for place, row in enumerate(rows) if row["error"] is None}

    def _rows(self, chunk: Chunk, kept: Kept, others: list[str], tick: Tick) -> dict[int, Row]:
        """The rows of the chunk by place, without the kept ones. What fails in an unforeseen way is done again image by
        image, so that one image costs one row.
        """
        try:
            return self._detect(chunk, kept, others, tick, self.work.batch_size)
        except SSDError:
            raise
        except Exception:  # of whatever library: the second pass finds the image, and its row has the error
            others.clear()
            return self._detect(chunk, kept, others, lambda: None, None)

    def _detect(
        self, chunk: Chunk, kept: Kept, others: list[str], tick: Tick, batch_size: int | None
    ) -> dict[int, Row]:
        """`batch_size` None is one image at a time, where each error of whatever kind becomes a row."""
        given: list[Member] = []
        rows: dict[int, Row] = {}
        fault: list[DataError] = []
        images = self._images(chunk, kept, others, given, fault)
        found = self._one_by_one(images) if batch_size is None else self._in_batches(images, batch_size)
        for number, outcome in found:
            place, image, _ = given[number]
            rows[place] = (
                row_of(image, self._wanted(outcome)) if isinstance(outcome, Result) else error_row(image, outcome)
            )
            given[number] = Member(place, image, "")  # its content is not needed any more
            tick()
        if fault:
            rows |= self._lost(chunk, len(given) + len(kept), fault[0])
        return rows

    def _images(
        self, chunk: Chunk, kept: Kept, others: list[str], given: list[Member], fault: list[DataError]
    ) -> Iterator[Any]:
        try:
            for member in members(chunk, Path(self.work.base), others.append):
                if (member.place, member.id) not in kept:
                    given.append(member)
                    yield member.image
        except DataError as error:
            fault.append(error)

    def _in_batches(self, images: Iterator[Any], batch_size: int) -> Iterator[tuple[int, Any]]:
        yield from self.detector.outcomes(images, self.work.selection, batch_size=batch_size)

    def _one_by_one(self, images: Iterator[Any]) -> Iterator[tuple[int, Any]]:
        for number, image in enumerate(images):
            outcome: Any
            try:
                ((_, outcome),) = self.detector.outcomes([image], self.work.selection, batch_size=1)
            except (RunError, UsageError):
                raise
            except Exception as error:  # of whatever library: it becomes the row of this image
                outcome = error
            yield number, outcome

    def _wanted(self, found: Result) -> Result:
        return found.select([name not in self.work.suppress for name in found.names]) if self.work.suppress else found

    def _lost(self, chunk: Chunk, read: int, fault: DataError) -> dict[int, Row]:
        """Rows for what could not be read of a shard: of Parquet each row, of a tar file one for all the rest."""
        assert chunk.shard is not None  # files do not fail together
        file = chunk.shard.file
        if chunk.images is None:
            return {read: error_row(file, fault)}
        lost: Sequence[int] = range(read, chunk.images)
        return {place: error_row(f"{file}/{chunk.first + place}", fault) for place in lost}
