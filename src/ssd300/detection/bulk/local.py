"""The engine `local`: the chunks one after the other, in this process."""

from collections.abc import Iterable, Iterator

from ssd300.detection.bulk.plan import Entry
from ssd300.detection.bulk.work import Done, Tick
from ssd300.detection.bulk.worker import Worker


def run(worker: Worker, entries: Iterable[Entry], tick: Tick) -> Iterator[Done]:
    """Do the chunks. `tick` is called after each image."""
    for entry in entries:
        yield worker.do(entry, tick)
