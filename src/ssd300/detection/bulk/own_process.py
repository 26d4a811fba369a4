"""The rows of a chunk that a killed process had begun: image by image, in a process of its own.

So the image is known at which a process ends, by a fault in a library or for lack of memory. After `TRIES` times its
row is an error, and the others go on.
"""

import multiprocessing
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ssd300.detection.bulk.begun import Mark
from ssd300.detection.bulk.chunk_rows import ChunkRows, lost_rows
from ssd300.detection.bulk.chunks import Chunk
from ssd300.detection.bulk.members import members
from ssd300.detection.bulk.rows import Row, error_row
from ssd300.detection.bulk.work import Kept, Tick, Work
from ssd300.detection.detector import Detector
from ssd300.errors import DataError, RunError, SSDError

TRIES = 2  # a process that ends once may have been killed by chance
KILLER = DataError(
    "it killed the process that read it", fix="Leave it out, or try it again with more memory and --retry-errors."
)
Load = Callable[[], Detector]


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What a process does: the images of the chunk before the place `end` that are not `done`, a place, and not `kept`.
    Those at the places `blamed` are not read: their row is the error.
    """

    load: Load
    work: Work
    chunk: Chunk
    kept: Collection[tuple[int, str]]
    done: Collection[int]
    blamed: Collection[int]
    end: int | None


def rows_in_own_process(
    load: Load, work: Work, chunk: Chunk, kept: Kept, mark: Mark, others: list[str], tick: Tick
) -> dict[int, Row]:
    """The rows of the chunk by place, without the kept ones. `load` must be one that pickle takes. Deaths are counted
    in the mark, so that those of this process count as well. `others` takes members of a tar file that are no images.

    Raises RunError where such a process ends before its first image.
    """
    rows: dict[int, Row] = {}
    vain = 0
    while vain < TRIES:
        end = _not_to_be_passed(chunk, mark)
        task = _Task(
            load=load, work=work, chunk=chunk, kept=frozenset(kept), done=frozenset(rows), blamed=_blamed(mark), end=end
        )
        others.clear()
        if _is_done(task, rows, mark, others, tick):
            lost = {} if end is None else lost_rows(chunk, end, KILLER)
            kept_places = {place for place, _ in kept}
            return rows | {place: row for place, row in lost.items() if place not in kept_places}
        vain += mark.place is None
        mark.died()
    raise RunError(
        "the process that reads images ended while it loaded the weights",
        where=work.out,
        fix="Give it more memory, or fewer --actors.",
    )


def _blamed(mark: Mark) -> frozenset[int]:
    return frozenset(place for place, deaths in mark.deaths.items() if deaths >= TRIES)


def _not_to_be_passed(chunk: Chunk, mark: Mark) -> int | None:
    """The first place of a shard where a process ended though it only passed by: what is behind is out of reach."""
    if chunk.shard is None:
        return None
    return min((place for place, deaths in mark.deaths.items() if deaths > TRIES), default=None)


def _is_done(task: _Task, rows: dict[int, Row], mark: Mark, others: list[str], tick: Tick) -> bool:
    """Do the task, and put its rows into `rows`; false where its process has ended before."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_process, args=(there, task), daemon=True)
    process.start()
    there.close()
    try:
        while True:
            kind, content = here.recv()
            if kind == "at":
                mark.place = content
                mark.write()
                here.send("go on")
            elif kind == "rows":
                rows.update(content)
                tick()
            elif kind == "failed":
                raise content
            else:
                others += content
                return True
    except (EOFError, ConnectionError):
        return False
    finally:
        process.kill()
        process.join()
        here.close()


def _process(connection: Connection, task: _Task) -> None:
    """The process. It ends with its parent, or by it: signals that a whole group of processes gets are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):  # the parent has ended
        try:
            _do(connection, task)
        except SSDError as error:
            connection.send(("failed", error))


def _do(connection: Connection, task: _Task) -> None:
    def tell(kind: str, content: Any) -> None:
        connection.send((kind, content))

    maker = ChunkRows(task.load(), task.work)
    others: list[str] = []
    images = members(task.chunk, Path(task.work.base), others.append)
    place = 0
    try:
        while task.end is None or place < task.end:
            tell("at", place)
            connection.recv()  # the mark is written
            member = next(images, None)
            if member is None:
                break
            if place not in task.done and (place, member.id) not in task.kept:
                tell("rows", {place: error_row(member.id, KILLER) if place in task.blamed else maker.row(member)})
            place += 1
    except DataError as fault:
        tell("rows", lost_rows(task.chunk, place, fault))
    tell("done", others)
