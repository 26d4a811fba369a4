"""The rows of a chunk, by a detector in this process: in batches, or one image at a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ssd300.detection.bulk.chunks import Chunk
from ssd300.detection.bulk.members import members
from ssd300.detection.bulk.parquet_input import Member
from ssd300.detection.bulk.rows import Row, error_row, row_of
from ssd300.detection.bulk.work import Kept, Tick, Work
from ssd300.detection.detector import Detector
from ssd300.detection.results import Result
from ssd300.errors import DataError, RunError, SSDError, UsageError


class ChunkRows:
    """Makes the rows of chunks."""

    def __init__(self, detector: Detector, work: Work) -> None:
        self.detector, self.work = detector, work

    def rows(self, chunk: Chunk, kept: Kept, others: list[str], tick: Tick) -> dict[int, Row]:
        """The rows of the chunk by place, without the kept ones. What fails in an unforeseen way is done again image by
        image, so that one image costs one row. `others` takes the members of a tar file that are no images.
        """
        try:
            return self._in_batches(chunk, kept, others, tick)
        except SSDError:
            raise
        except Exception:  # of whatever library: the second pass finds the image, and its row has the error
            others.clear()
            return self._one_by_one(chunk, kept, others)

    def row(self, member: Member) -> Row:
        """The row of one image. Each error of whatever kind is a row."""
        try:
            ((_, outcome),) = self.detector.outcomes([member.image], self.work.selection, batch_size=1)
        except (RunError, UsageError):
            raise
        except Exception as error:  # of whatever library: it becomes the row of this image
            return error_row(member.id, error)
        return self._row_of(member.id, outcome)

    def _in_batches(self, chunk: Chunk, kept: Kept, others: list[str], tick: Tick) -> dict[int, Row]:
        given: list[Member] = []
        rows: dict[int, Row] = {}
        fault: list[DataError] = []

        def images() -> Iterator[Any]:
            for member in self._members(chunk, kept, others.append, fault):
                given.append(member)
                yield member.image

        for number, outcome in self.detector.outcomes(images(), self.work.selection, batch_size=self.work.batch_size):
            place, image, _ = given[number]
            rows[place] = self._row_of(image, outcome)
            given[number] = Member(place, image, "")  # its content is not needed any more
            tick()
        return rows | self._after_a_fault(chunk, len(given) + len(kept), fault)

    def _one_by_one(self, chunk: Chunk, kept: Kept, others: list[str]) -> dict[int, Row]:
        fault: list[DataError] = []
        rows = {member.place: self.row(member) for member in self._members(chunk, kept, others.append, fault)}
        return rows | self._after_a_fault(chunk, len(rows) + len(kept), fault)

    def _members(
        self, chunk: Chunk, kept: Kept, other: Callable[[str], None], fault: list[DataError]
    ) -> Iterator[Member]:
        try:
            for member in members(chunk, Path(self.work.base), other):
                if (member.place, member.id) not in kept:
                    yield member
        except DataError as error:
            fault.append(error)

    def _row_of(self, image: str, outcome: Result | SSDError) -> Row:
        if not isinstance(outcome, Result):
            return error_row(image, outcome)
        dropped = self.work.suppress
        wanted = outcome.select([name not in dropped for name in outcome.names]) if dropped else outcome
        return row_of(image, wanted)

    def _after_a_fault(self, chunk: Chunk, read: int, fault: Sequence[DataError]) -> dict[int, Row]:
        return lost_rows(chunk, read, fault[0]) if fault else {}


def lost_rows(chunk: Chunk, read: int, fault: DataError) -> dict[int, Row]:
    """Rows for what could not be read of a shard after `read` images: of Parquet each row, of a tar file one for all
    the rest.
    """
    assert chunk.shard is not None  # files do not fail together
    file = chunk.shard.file
    if chunk.images is None:
        return {read: error_row(file, fault)}
    return {place: error_row(f"{file}/{chunk.first + place}", fault) for place in range(read, chunk.images)}
