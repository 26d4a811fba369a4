"""The annotations of a split of shards, each read when it is asked for. Their number costs no memory."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np

from ssd300.data.sampling import Key
from ssd300.data.shards.files import ShardFiles
from ssd300.data.shards.index import StoredFile
from ssd300.data.shards.order import epoch_of_shards
from ssd300.data.shards.records import from_record
from ssd300.data.shards.tar_members import key
from ssd300.errors import DataError, RunError
from ssd300.system.stores import is_remote
from ssd300.types import Annotation


class ShardedAnnotations(Sequence[Annotation]):
    """The images of `shards` in their order there. An item or a slice is read from the files each time.

    Reading raises DataError as `ShardFiles` does.
    """

    def __init__(self, files: ShardFiles, shards: Sequence[StoredFile], *, classes: int) -> None:
        self.files, self.shards, self.classes = files, shards, classes
        self.counts = np.array([shard.images for shard in shards], dtype=np.int64)
        self.ends = np.cumsum(self.counts)

    def __len__(self) -> int:
        return int(self.ends[-1])

    @overload
    def __getitem__(self, index: int) -> Annotation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Annotation]: ...
    def __getitem__(self, index: int | slice) -> Annotation | list[Annotation]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} images, and {index} was asked for")
        number, place = self._find(index % len(self))
        shard = self.shards[number]
        start, count, record_start, record_count = self.files.places(shard)[place].tolist()
        where = self.files.where(shard)
        return from_record(
            self.files.read(shard, record_start, record_count),
            Path(where) / key(place),
            self.classes,
            where=f"{where}/{key(place)}",
            read=partial(self.files.read, shard, start, count),
        )

    def name(self, index: int) -> str:
        """What an image is called in messages, without reading it."""
        number, place = self._find(index)
        return f"{self.files.where(self.shards[number])}/{key(place)}"

    def beside(self, index: int) -> range:
        """The images of the same shard: those that an image is mixed with."""
        number, _ = self._find(index)
        return range(int(self.ends[number] - self.counts[number]), int(self.ends[number]))

    def keys(self, seed: int, epoch: int, start: int) -> Iterator[Key]:
        """The keys of the images of an epoch from the image `start` on, in the order of `order`.

        Remote shards are copied ahead, each while the chunk before it is in use.
        """
        for shards, images in epoch_of_shards(self.counts, seed=seed, epoch=epoch, start=start):
            if is_remote(self.files.place):
                ahead = [self.shards[shard] for shard in shards.tolist()]
                threading.Thread(target=self._copy, args=(ahead,), daemon=True).start()
            yield from (Key(epoch, image) for image in images.tolist())

    def _copy(self, shards: Sequence[StoredFile]) -> None:
        for shard in shards:
            with suppress(DataError, RunError):  # raised again where the shard is read
                self.files.local(shard)

    def _find(self, index: int) -> tuple[int, int]:
        """The shard of an image, and its number there."""
        number = int(np.searchsorted(self.ends, index, side="right"))
        return number, index - int(self.ends[number] - self.counts[number])
