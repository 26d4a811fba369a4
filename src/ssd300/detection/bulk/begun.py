"""Marks of the chunks that are being done. One that is still there is of a process that was killed.

Such a chunk may have an image that kills its process. So it is done again in another way (`own_process`), and the
mark counts how often a process ended at each image.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ssd300.errors import DataError
from ssd300.system.stores import Store

FOLDER, SUFFIX = "begun", ".json"


class Mark:
    """`deaths` counts by place in the chunk the processes that ended there; `place` is the image under work."""

    def __init__(self, store: Store, chunk: str) -> None:
        self._store, self._name = store, f"{FOLDER}/{chunk}{SUFFIX}"
        self.deaths: Counter[int] = Counter()
        self.place: int | None = None
        self.is_left = self._read()  # by a process that was killed

    def write(self) -> None:
        content = {"deaths": {str(place): count for place, count in self.deaths.items()}, "place": self.place}
        self._store.write(self._name, json.dumps(content).encode())

    def remove(self) -> None:
        self._store.remove(self._name)

    def died(self) -> None:
        """Count the image under work as one that a process ended at."""
        if self.place is not None:
            self.deaths[self.place] += 1
            self.place = None

    def _read(self) -> bool:
        try:
            content = json.loads(self._store.read(self._name))
        except DataError:
            return False
        except ValueError:  # half of a file, as no place that we know of leaves it
            return True
        self.deaths.update({int(place): count for place, count in content["deaths"].items()})
        self.place = content["place"]
        self.died()
        return True


@contextmanager
def begun(store: Store, chunk: str) -> Iterator[Mark]:
    """In the block the chunk is marked. However the block ends, the mark goes, unless the process is killed."""
    mark = Mark(store, chunk)
    mark.write()
    try:
        yield mark
    finally:
        mark.remove()


def remove_all(store: Store) -> None:
    for name in store.names(SUFFIX):
        if name.startswith(f"{FOLDER}/"):
            store.remove(name)
