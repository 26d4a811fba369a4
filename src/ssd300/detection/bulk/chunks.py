"""A chunk: the images whose rows are one part file. The plan holds it as a line of JSON."""

import json
from dataclasses import dataclass
from typing import Literal

Kind = Literal["images", "parquet", "tar"]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A file that holds images: its path or address, how many bytes it has, and of Parquet its rows and the column."""

    kind: Kind
    file: str
    size: int
    rows: int = 0
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """`ids` are paths and addresses of images, as they were named; else the images are those of `shard`: of Parquet the
    rows from `first` to `last`, the latter excluded, of a tar file all.

    `instead` names chunks that this one and those after it replace, as their file has been replaced.
    """

    name: str
    ids: tuple[str, ...] = ()
    shard: Shard | None = None
    first: int = 0
    last: int = 0
    instead: tuple[str, ...] = ()

    @property
    def images(self) -> int | None:
        """How many there are; None where only reading tells, as of a tar file."""
        if self.shard is None:
            return len(self.ids)
        return None if self.shard.kind == "tar" else self.last - self.first

    def line(self) -> str:
        """The chunk as a line of JSON. ASCII alone, so that names of any bytes come back."""
        what = {"ids": self.ids} if self.shard is None else {"shard": vars(self.shard), "rows": [self.first, self.last]}
        instead = {"instead": self.instead} if self.instead else {}
        return json.dumps({"chunk": self.name, **what, **instead}, separators=(",", ":")) + "\n"


def parse_chunk(line: str | bytes) -> Chunk:
    entry = json.loads(line)
    if "ids" in entry:
        return Chunk(name=entry["chunk"], ids=tuple(entry["ids"]))
    first, last = entry["rows"]
    instead = tuple(entry.get("instead", ()))
    return Chunk(name=entry["chunk"], shard=Shard(**entry["shard"]), first=first, last=last, instead=instead)
