"""A dataset as shards: what is read is written, or reported. The same data gives the same bytes.

The images of a split are shuffled once, so that each shard is like the whole: training mixes a few shards at a time.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, count, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.data.shards.cache import digest_of
from ssd300.data.shards.index import INDEX, Index, SplitOfShards, StoredFile
from ssd300.data.shards.records import member_suffix, to_record
from ssd300.data.shards.tar_members import (
    ANNOTATION_SUFFIX,
    add_member,
    archive_bytes,
    key,
    open_new,
    stored_bytes,
)
from ssd300.errors import DataError
from ssd300.images.header import open_file
from ssd300.images.read import decode_image
from ssd300.system.stores import Store
from ssd300.system.temporary import temporary_folder
from ssd300.types import Annotation

SHUFFLE = 0  # seed of the order in which images are written
AT_ONCE = 64  # images that are decoded in other threads while the shard is written
MOST_SAMPLED = 10_000  # annotations in the sample of a split; of more images there are half as many or more
LEFT_OUT = "left-out.jsonl"
Advance = Callable[[], None]


class LeftOut(NamedTuple):
    """An image that is not written, and why."""

    split: str
    image: str
    error: str


class _Checked(NamedTuple):
    annotation: Annotation
    content: bytes
    record: bytes
    error: DataError | None = None


@dataclass
class _Sample:
    """Every n-th annotation, n being a power of two that grows with their number."""

    lines: list[bytes] = field(default_factory=list)
    seen: int = 0
    step: int = 1

    def add(self, record: bytes) -> None:
        if self.seen % self.step == 0:
            self.lines.append(record)
        self.seen += 1
        if len(self.lines) > MOST_SAMPLED:
            self.lines, self.step = self.lines[::2], self.step * 2


def write_shards(
    store: Store, splits: Sequence[Dataset], *, size: int, left_out: Sequence[LeftOut] = (), advance: Advance
) -> tuple[Index, list[LeftOut]]:
    """Write each split in shards of up to `size` bytes, with one image or more each; the index comes last.

    Images that cannot be decoded, or have another size than their annotation, are left out and reported beside those
    that were `left_out` already. `advance` is called at each image.

    Raises:
        DataError: no image of a split is left.
        RunError: a file cannot be written.
    """
    lost = list(left_out)
    rows: dict[str, SplitOfShards] = {}
    for dataset, name in zip(splits, _file_names([dataset.split for dataset in splits]), strict=True):
        rows[dataset.split] = _write_split(store, dataset, name, size, lost, advance)
    if lost:
        store.write(LEFT_OUT, "".join(json.dumps(one._asdict()) + "\n" for one in lost).encode())
    index = Index(classes=splits[0].classes, splits=rows)
    store.write(INDEX, index.to_bytes())
    return index, lost


def _write_split(
    store: Store, dataset: Dataset, name: str, size: int, lost: list[LeftOut], advance: Advance
) -> SplitOfShards:
    order = np.random.default_rng(SHUFFLE).permutation(len(dataset)).tolist()
    shards: list[StoredFile] = []
    objects: Counter[int] = Counter()
    sample = _Sample()
    with temporary_folder() as folder:
        shard = _Shard(folder / "shard")
        for one in _checked(dataset.annotations[place] for place in order):
            advance()
            if one.error is not None:
                lost.append(LeftOut(dataset.split, str(one.annotation.image_path), one.error.what))
                continue
            if shard.images and archive_bytes(shard.bytes + stored_bytes(one.content, one.record)) > size:
                shards.append(shard.close(store, f"{name}-{len(shards):06}.tar"))
                shard = _Shard(folder / "shard")
            shard.add(one)
            objects.update(one.annotation.labels.tolist())
            sample.add(one.record)
        if not shard.images:
            shard.archive.close()
            what = f"no image of the split '{dataset.split}' can be read"
            raise DataError(what, where=dataset.root, fix="Run `ssd300 check` on the data.")
        shards.append(shard.close(store, f"{name}-{len(shards):06}.tar"))
    lines = b"".join(line + b"\n" for line in sample.lines)
    of_sample = StoredFile(f"{name}.sample.jsonl", len(lines), sha256(lines).hexdigest(), len(sample.lines))
    store.write(of_sample.name, lines)
    return SplitOfShards(
        images=sample.seen,
        objects={class_: objects[label] for label, class_ in enumerate(dataset.classes)},
        left_out=sum(one.split == dataset.split for one in lost),
        sample=of_sample,
        shards=shards,
    )


class _Shard:
    """A shard that is written here before it is put into its place."""

    def __init__(self, path: Path) -> None:
        self.path, self.archive = path, open_new(path)
        self.images = self.bytes = 0

    def add(self, one: _Checked) -> None:
        name = key(self.images)
        add_member(self.archive, name + member_suffix(one.annotation.image_path.name), one.content)
        add_member(self.archive, name + ANNOTATION_SUFFIX, one.record)
        self.images += 1
        self.bytes += stored_bytes(one.content, one.record)

    def close(self, store: Store, name: str) -> StoredFile:
        self.archive.close()
        row = StoredFile(name, self.path.stat().st_size, digest_of(self.path), self.images)
        store.put(name, self.path)
        self.path.unlink()
        return row


def _checked(annotations: Iterator[Annotation]) -> Iterator[_Checked]:
    """The images in order, each read and decoded."""
    with ThreadPoolExecutor() as pool:
        while some := list(islice(annotations, AT_ONCE)):
            yield from pool.map(_check, some)


def _check(annotation: Annotation) -> _Checked:
    try:
        with open_file(annotation.image_path) as file:
            content = file.read()
        size_hw = decode_image(content, where=annotation.image_path).shape[:2]
        if annotation.size_hw not in (None, size_hw):
            raise DataError(f"the annotation is for another size than {size_hw[1]} x {size_hw[0]} pixels")
    except DataError as error:
        return _Checked(annotation, b"", b"", error)
    return _Checked(annotation, content, to_record(annotation, (size_hw[0], size_hw[1])))


def _file_names(splits: Sequence[str]) -> list[str]:
    """How the files of each split begin: its name in plain characters, no two alike."""
    names: list[str] = []
    for split in splits:
        plain = re.sub(r"[^a-z0-9_]+", "_", split.lower()).strip("_") or "split"
        numbered = (f"{plain}_{number}" for number in count(2))
        names.append(next(name for name in chain([plain], numbered) if name not in names))
    return names
