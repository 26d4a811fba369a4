"""The plan of a job: every chunk once, in files that are written once and never changed. It only grows.

In memory it holds a short entry per chunk, and while it grows the ids of all images that are files of their own. A file
of images that was replaced gets new chunks, which name those that they stand instead of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ssd300.detection.bulk.chunks import Chunk, parse_chunk
from ssd300.detection.bulk.new_inputs import Changed, Input, NewInputs, refuse_changed
from ssd300.errors import DataError
from ssd300.system.stores import Store
from ssd300.system.wording import counted

FOLDER, SUFFIX = "plan", ".jsonl"
CHUNKS_PER_FILE = 1000


@dataclass(frozen=True)
class Entry:
    """Where the plan has a chunk: `count` bytes from `start` on in `file`. `images` as of Chunk."""

    name: str
    images: int | None
    file: str
    start: int
    count: int


class Plan:
    """The plan in a store, as far as it was written; an empty one if it `is_new`. `replaced` are the names of chunks
    that count no more. Raises DataError for a damaged file.
    """

    def __init__(self, store: Store, *, is_new: bool = False) -> None:
        self.store = store
        self.replaced: set[str] = set()
        self._written = 0  # chunks, with replaced ones
        self.entries: list[Entry] = []
        for file in [] if is_new else store.names(SUFFIX):
            if file.startswith(f"{FOLDER}/"):
                self._add(file)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks that count, each file of the plan read once."""
        for file in dict.fromkeys(entry.file for entry in self.entries):
            yield from (chunk for chunk, _ in self._lines(file) if chunk.name not in self.replaced)

    def extend(
        self,
        inputs: Iterable[Input],
        images_per_chunk: int,
        note: Callable[[str], None],
        *,
        base: str = "",
        changed: Changed = refuse_changed,
    ) -> None:
        """Plan the inputs that no chunk has. `base` is the folder that the relative paths of the plan start from.

        `note` takes lines on those that are named more than once, are there no more, or have changed. `changed` raises
        DataError for a shard that has changed since it was planned, unless it may be planned again.
        """
        new = NewInputs(inputs, self.chunks(), base=base, changed=changed)
        waiting: list[Chunk] = []
        for number, chunk in enumerate(new.chunks(images_per_chunk), start=self._written):
            waiting.append(Chunk(**{**vars(chunk), "name": f"{number:08d}"}))
            if len(waiting) == CHUNKS_PER_FILE:
                self._write(waiting)
                waiting = []
        if waiting:
            self._write(waiting)
        self._tell(new, note)

    def _tell(self, new: NewInputs, note: Callable[[str], None]) -> None:
        if new.repeated:
            note(counted(new.repeated, "{image or shard is|images or shards are} named more than once: done once"))
        if new.changed:
            note(
                counted(len(new.changed), "{file has|files have} changed since the plan, and {is|are} done again as a ")
                + f"whole: {_first(new.changed)}"
            )
        if gone := new.gone():
            text = "planned {image or file is|images or files are} not in the input any more; {its|their} rows stay"
            note(f"{counted(len(gone), text)}: {_first(gone)}")

    def _write(self, chunks: list[Chunk]) -> None:
        name = f"{FOLDER}/{chunks[0].name}{SUFFIX}"
        self.store.write(name, "".join(chunk.line() for chunk in chunks).encode("ascii"))
        self._add(name)

    def _add(self, file: str) -> None:
        replaced = len(self.replaced)
        self.entries += self._of_file(file)
        if len(self.replaced) > replaced:
            self.entries = [entry for entry in self.entries if entry.name not in self.replaced]

    def _of_file(self, file: str) -> Iterator[Entry]:
        start = 0
        for chunk, count in self._lines(file):
            self._written += 1
            self.replaced.update(chunk.instead)
            yield Entry(chunk.name, chunk.images, file, start, count)
            start += count

    def _lines(self, file: str) -> Iterator[tuple[Chunk, int]]:
        """The chunks in a file, each with the bytes of its line."""
        for number, line in enumerate(self.store.read(file).splitlines(keepends=True), start=1):
            try:
                yield parse_chunk(line), len(line)
            except (ValueError, KeyError, TypeError) as error:
                where = f"{self.store.place(file)}:{number}"
                fix = "Get the file back, or start another job with another --out."
                raise DataError("the plan of the job is damaged", where=where, fix=fix) from error


def read_chunk(store: Store, entry: Entry) -> Chunk:
    return parse_chunk(store.read(entry.file, entry.start, entry.count))


def _first(names: Sequence[str]) -> str:
    return names[0] + (" and others" if len(names) > 1 else "")
