"""The work on one chunk: its images through a detector, its rows into its part. Every engine does it by this code."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ssd300.detection.bulk.begun import Mark, begun
from ssd300.detection.bulk.chunk_rows import ChunkRows
from ssd300.detection.bulk.chunks import Chunk
from ssd300.detection.bulk.own_process import rows_in_own_process
from ssd300.detection.bulk.plan import Entry, read_chunk
from ssd300.detection.bulk.rows import Row, encoded, part_name, read_part
from ssd300.detection.bulk.work import Done, Kept, Tick, Work
from ssd300.detection.detector import Detector
from ssd300.detection.network import Network
from ssd300.detection.tiles import TiledNetwork
from ssd300.errors import DataError
from ssd300.system.stores import is_remote, open_store


class Worker:
    """Does chunks, one after the other.

    `load` loads the network; pickle must take it, as another process may do it too. A `network` that is loaded already
    is used here; one that is not is let go while another process works.
    """

    def __init__(
        self, work: Work, load: Callable[[], Network], tile_px: int | None = None, network: Network | None = None
    ) -> None:
        self.work = work
        self.store = open_store(work.out if is_remote(work.out) else Path(work.base) / work.out)
        self._load = partial(_load, load, tile_px)
        self._stays = network is not None
        self._detector: Detector | None = self._load() if network is None else _detector(network, tile_px)

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
        with begun(self.store, entry.name) as mark:
            made = self._rows(chunk, kept, mark, others, tick)
            seconds = time.monotonic() - started
            for row in made.values():
                row["seconds"] = seconds / len(made)
            rows = [row for _, row in sorted([*made.items(), *((place, row) for (place, _), row in kept.items())])]
            self.store.write(part, encoded(rows, self.work.form))
        errors = sum(row["error"] is not None for row in rows)
        return Done(entry.name, len(rows), len(made), errors, len(others), seconds)

    def _rows(self, chunk: Chunk, kept: Kept, mark: Mark, others: list[str], tick: Tick) -> dict[int, Row]:
        if mark.is_left:
            if not self._stays:
                self._detector = None
            return rows_in_own_process(self._load, self.work, chunk, kept, mark, others, tick)
        if self._detector is None:
            self._detector = self._load()
        return ChunkRows(self._detector, self.work).rows(chunk, kept, others, tick)

    def _kept(self, part: str) -> Kept:
        """The rows without an error of a part; none if it is not there, or damaged."""
        try:
            rows = read_part(self.store, part)
        except DataError:
            return {}
        return {(place, row["id"]): row for place, row in enumerate(rows) if row["error"] is None}


def _load(load: Callable[[], Network], tile_px: int | None) -> Detector:
    return _detector(load(), tile_px)


def _detector(network: Network, tile_px: int | None) -> Detector:
    return Detector(network if tile_px is None else TiledNetwork(network, tile_px))
