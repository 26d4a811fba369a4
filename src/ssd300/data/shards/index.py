"""index.json: what a folder of shards holds. It has a row per shard and none per image, so it stays small."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from ssd300.errors import DataError
from ssd300.system.stores import Store

INDEX = "index.json"
FORMAT, VERSION = "ssd300-shards", 1
WRITE_AGAIN = "Copy it again from where it was written, or write the shards again with `ssd300 shard`."


class ShardError(DataError):
    """A shard that is missing, truncated or changed. It is no bad image that could be skipped."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the folder. `images` is how many it describes."""

    name: str
    bytes: int
    sha256: str
    images: int

    def __post_init__(self) -> None:
        if "/" in self.name or self.name.startswith(".") or self.bytes < 0 or self.images < 1 or len(self.sha256) != 64:
            raise ValueError(f"the row of {self.name!r} is damaged")


@dataclass(frozen=True, kw_only=True)
class SplitOfShards:
    """The shards of a split, in the order of their images. `objects` counts them by class.

    `sample` has the annotations of some images, or of all where they are few, without pixels. `left_out` counts the
    images that were not written: broken ones, and those of a held-out split that are trained on.
    """

    images: int
    objects: Mapping[str, int]
    left_out: int
    sample: StoredFile
    shards: Sequence[StoredFile] = field(repr=False)

    def __post_init__(self) -> None:
        if self.images != sum(shard.images for shard in self.shards) or not self.shards:
            raise ValueError(f"it has {self.images} images, and its shards have another number")


@dataclass(frozen=True, kw_only=True)
class Index:
    """What is in index.json."""

    classes: tuple[str, ...]
    splits: Mapping[str, SplitOfShards]

    def fingerprint(self, split: str) -> str:
        """SHA-256 of the classes and of the checksums of the shards of a split, in their order."""
        return sha256("\n".join([*self.classes, *(shard.sha256 for shard in self.splits[split].shards)]).encode(
            errors="surrogatepass")).hexdigest()  # fmt: skip

    def to_bytes(self) -> bytes:
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return (json.dumps(content, indent=1) + "\n").encode()


def is_index(content: bytes) -> bool:
    """Whether it is the index.json of shards, of any version, and not one of another program."""
    return f'"{FORMAT}"'.encode() in content


def read_index(store: Store) -> Index:
    """Raises DataError if there is none, or it is damaged or of a newer version."""
    return parse_index(store.read(INDEX), store.place(INDEX))


def parse_index(content: bytes, where: str) -> Index:
    """The index in the content of a file. Raises DataError as `read_index`."""
    try:
        values = json.loads(content)
        if values["version"] != VERSION:
            raise DataError(
                f"the shards have version {values['version']}; this ssd300 reads version {VERSION}",
                where=where,
                fix="Read them with the ssd300 that wrote them, or write them again with `ssd300 shard`.",
            )
        splits = {name: _split(row) for name, row in values["splits"].items()}
        classes = tuple(values["classes"])
        if not splits or not all(list(split.objects) == list(classes) for split in splits.values()):
            raise ValueError("its splits have other classes")
    except DataError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"the index of the shards is damaged ({error})", where=where, fix=WRITE_AGAIN) from error
    return Index(classes=classes, splits=splits)


def _split(row: Mapping[str, Any]) -> SplitOfShards:
    shards = [StoredFile(**shard) for shard in row["shards"]]
    return SplitOfShards(**{**row, "sample": StoredFile(**row["sample"]), "shards": shards})
