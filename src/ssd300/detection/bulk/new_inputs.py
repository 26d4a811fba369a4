"""Which inputs the plan of a job does not have yet, as chunks. Places are compared in full, however they are named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from ssd300.detection.bulk.chunks import Chunk, Shard
from ssd300.errors import DataError
from ssd300.system.stores import one_spelling

Input: TypeAlias = str | Shard  # an image by its path or address, or a file of many
Changed: TypeAlias = Callable[[Shard, Shard, Sequence[str]], None]  # takes a shard then and now, and its chunks' names


def refuse_changed(before: Shard, now: Shard, _chunks: Sequence[str], *, instead: str = "") -> None:
    """Raises DataError for a shard that has changed since it was planned. `instead` is what else the user can do."""
    raise DataError(
        f"the file has changed since it was planned: it had {before.size:,} bytes then, and has {now.size:,}",
        where=now.file,
        fix=instead or "Put new images into new files, or start another job with another --out.",
    )


class NewInputs:
    """Inputs that `known` chunks do not have, as chunks without names; `base` and `changed` are as of `Plan.extend`.

    After `chunks` is used up, `repeated` counts those that were named more than once, and `changed` names the shards
    that are planned again.
    """

    def __init__(
        self,
        inputs: Iterable[Input],
        known: Iterable[Chunk],
        *,
        base: str = "",
        changed: Changed = refuse_changed,
    ) -> None:
        self._inputs, self._base, self._check_changed = inputs, base, changed
        self._images: set[str] = set()
        self._shards: dict[str, Shard] = {}
        self._planned: dict[str, int] = {}  # rows of shards: a kill may have come before all of them were
        self._chunks: dict[str, list[str]] = {}  # of shards
        for chunk in known:
            self._images.update(map(self._key, chunk.ids))
            if chunk.shard is not None:
                key = self._key(chunk.shard.file)
                self._shards[key] = chunk.shard
                self._planned[key] = max(self._planned.get(key, 0), chunk.last)
                self._chunks.setdefault(key, []).append(chunk.name)
        self._known = len(self._images) + len(self._shards)
        self._found = 0  # of those that are known
        self._seen: set[str] = set()
        self.repeated = 0
        self.changed: list[str] = []

    def chunks(self, size: int) -> Iterator[Chunk]:
        ids: list[str] = []
        for one in self._inputs:
            if isinstance(one, Shard):
                yield from self._of_shard(one, size)
            elif self._is_new(key := self._key(one), is_known=key in self._images):
                ids.append(one)
                if len(ids) == size:
                    yield Chunk(name="", ids=tuple(ids))
                    ids = []
        if ids:
            yield Chunk(name="", ids=tuple(ids))

    def gone(self) -> list[str]:
        """Planned images and shards that are not among the inputs any more, sorted."""
        if self._found == self._known:
            return []
        return sorted(name for names in (self._images, self._shards) for name in names if name not in self._seen)

    def _of_shard(self, shard: Shard, size: int) -> Iterator[Chunk]:
        key = self._key(shard.file)
        before = self._shards.get(key)
        self._is_new(key, is_known=before is not None)
        start = self._planned.get(key, 0)
        instead: tuple[str, ...] = ()
        if before is not None and vars(before) != {**vars(shard), "file": before.file}:
            self._check_changed(before, shard, self._chunks[key])
            start, instead = 0, tuple(self._chunks[key])
            self.changed.append(shard.file)
        elif before is not None and (shard.kind == "tar" or start >= shard.rows):
            return
        self._shards[key], self._planned[key] = shard, shard.rows
        if shard.kind == "tar":
            yield Chunk(name="", shard=shard, instead=instead)
            return
        for first in range(start, shard.rows, size):
            yield Chunk(name="", shard=shard, first=first, last=min(first + size, shard.rows), instead=instead)
            instead = ()

    def _is_new(self, key: str, *, is_known: bool) -> bool:
        """Note that it was seen; whether it is neither known nor seen before."""
        is_seen = key in self._seen
        self._seen.add(key)
        self.repeated += is_seen
        self._found += is_known and not is_seen
        return not (is_known or is_seen)

    def _key(self, place: str) -> str:
        return one_spelling(place, self._base)
