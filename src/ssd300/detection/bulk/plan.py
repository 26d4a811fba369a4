"""The plan of a job: every chunk once, in files that are written once and never changed. It only grows.

In memory it holds a short entry per chunk, and while it grows the ids of all images that are files of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ssd300.detection.bulk.chunks import Chunk, Shard, parse_chunk
from ssd300.errors import DataError
from ssd300.system.stores import Store
from ssd300.system.wording import counted

FOLDER, SUFFIX = "plan", ".jsonl"
CHUNKS_PER_FILE = 1000
Input = str | Shard  # an image by its path or address, or a file of many


@dataclass(frozen=True)
class Entry:
    """Where the plan has a chunk: `count` bytes from `start` on in `file`. `images` as of Chunk."""

    name: str
    images: int | None
    file: str
    start: int
    count: int


class Plan:
    """The plan in a store, as far as it was written."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.entries: list[Entry] = [
            entry for file in store.names(SUFFIX) if file.startswith(f"{FOLDER}/") for entry in self._of_file(file)
        ]

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, each file of the plan read once."""
        for file in dict.fromkeys(entry.file for entry in self.entries):
            yield from map(parse_chunk, self.store.read(file).splitlines())

    def extend(self, inputs: Iterable[Input], images_per_chunk: int, note: Callable[[str], None]) -> None:
        """Plan the inputs that no chunk has. `note` takes a line on those that are named more than once.

        Raises DataError for a shard that has changed since it was planned.
        """
        new = _New(inputs, self.chunks())
        waiting: list[Chunk] = []
        for number, chunk in enumerate(new.chunks(images_per_chunk), start=len(self.entries)):
            waiting.append(Chunk(**{**vars(chunk), "name": f"{number:08d}"}))
            if len(waiting) == CHUNKS_PER_FILE:
                self._write(waiting)
                waiting = []
        if waiting:
            self._write(waiting)
        if new.repeated:
            note(counted(new.repeated, "{image or shard is|images or shards are} named more than once: done once"))

    def _write(self, chunks: list[Chunk]) -> None:
        name = f"{FOLDER}/{chunks[0].name}{SUFFIX}"
        self.store.write(name, "".join(chunk.line() for chunk in chunks).encode("ascii"))
        self.entries += self._of_file(name)

    def _of_file(self, file: str) -> Iterator[Entry]:
        start = 0
        for line in self.store.read(file).splitlines(keepends=True):
            chunk = parse_chunk(line)
            yield Entry(chunk.name, chunk.images, file, start, len(line))
            start += len(line)


def read_chunk(store: Store, entry: Entry) -> Chunk:
    return parse_chunk(store.read(entry.file, entry.start, entry.count))


class _New:
    """Inputs that `known` chunks do not have, as chunks without names."""

    def __init__(self, inputs: Iterable[Input], known: Iterable[Chunk]) -> None:
        self._inputs = inputs
        self._images: set[str] = set()
        self._shards: dict[str, Shard] = {}
        for chunk in known:
            self._images.update(chunk.ids)
            if chunk.shard is not None:
                self._shards[chunk.shard.file] = chunk.shard
        self._seen: set[str] = set()  # in this pass, of those that were known before
        self.repeated = 0

    def chunks(self, size: int) -> Iterator[Chunk]:
        ids: list[str] = []
        for one in self._inputs:
            if isinstance(one, Shard):
                yield from self._of_shard(one, size)
            elif self._is_new(one, one in self._images):
                self._images.add(one)
                ids.append(one)
                if len(ids) == size:
                    yield Chunk(name="", ids=tuple(ids))
                    ids = []
        if ids:
            yield Chunk(name="", ids=tuple(ids))

    def _of_shard(self, shard: Shard, size: int) -> Iterator[Chunk]:
        before = self._shards.get(shard.file)
        if before is not None and before != shard:
            raise DataError(
                f"the file has changed since it was planned: it had {before.size:,} bytes then, and has {shard.size:,}",
                where=shard.file,
                fix="Put new images into new files, or start another job with another --out.",
            )
        if not self._is_new(shard.file, before is not None):
            return
        self._shards[shard.file] = shard
        if shard.kind == "tar":
            yield Chunk(name="", shard=shard)
        else:
            for first in range(0, shard.rows, size):
                yield Chunk(name="", shard=shard, first=first, last=min(first + size, shard.rows))

    def _is_new(self, name: str, known: bool) -> bool:
        if known:
            self.repeated += name in self._seen
        self._seen.add(name)
        return not known
