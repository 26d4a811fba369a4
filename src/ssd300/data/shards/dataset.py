"""A folder or an address of shards as a dataset: for training with annotations that stay in the files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from ssd300.data.choices import Purpose
from ssd300.data.dataset import Dataset
from ssd300.data.shards.annotations import ShardedAnnotations
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.files import ShardFiles
from ssd300.data.shards.index import INDEX, WRITE_AGAIN, Index, SplitOfShards, StoredFile, is_index, read_index
from ssd300.data.shards.order import MIXED
from ssd300.data.shards.records import from_record
from ssd300.data.splits import UnusableSplitError, candidates, find_split, purpose_words
from ssd300.errors import DataError, UsageError
from ssd300.system.quantities import in_bytes
from ssd300.system.stores import as_place, is_remote, open_store
from ssd300.system.wording import plural
from ssd300.types import Annotation

AHEAD = 2  # shards that are copied while the others are in use, or not yet given up
USUAL_CACHE = ShardCache()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShardedDataset(Dataset):
    """A split of shards, of which the annotations are read when they are asked for."""

    in_memory: ClassVar[bool] = False

    index: Index
    sampled: tuple[Annotation, ...]

    @property
    def sample(self) -> Sequence[Annotation]:
        return self.sampled

    def first(self, count: int) -> Sequence[Annotation]:
        """Those of the first shards: the images were shuffled before they were written."""
        return self.annotations[:count]

    def objects_per_class(self) -> dict[str, int]:
        return dict(self.index.splits[self.split].objects)

    def with_classes(self, classes: Sequence[str]) -> Dataset:
        """As that of `Dataset`, with all annotations in memory."""
        held = Dataset(annotations=list(self.annotations), classes=self.classes, root=self.root, split=self.split)
        return held.with_classes(classes)

    def fingerprint(self) -> str:
        return self.index.fingerprint(self.split)


def shards_at(path: str | Path) -> str | None:
    """The folder or address of the shards that a path or address means; None for other data.

    Raises DataError for an address without shards, and UsageError for one that cannot be opened.
    """
    place = as_place(path)
    place = place.removesuffix(f"/{INDEX}")
    if is_remote(place):
        store = open_store(place)
        try:
            content = store.read(INDEX)
        except DataError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            fix = "Of addresses only shards are read: write them with `ssd300 shard DATA --out ADDRESS`."
            raise DataError(f"there are no shards: it has no {INDEX}", where=place, fix=fix) from error
        if not is_index(content):
            raise DataError("this is no index of shards", where=store.place(INDEX), fix=WRITE_AGAIN)
        return place
    file = Path(place) / INDEX
    try:
        return place if file.is_file() and is_index(file.read_bytes()) else None
    except OSError:
        return None


def not_read_here(path: str | Path) -> DataError:
    """The error of a command that needs files of images."""
    fix = "train, eval and check read them. Name the data that they were written from."
    return DataError("these are shards of images, which are not read here", where=as_place(path), fix=fix)


def shards_among(paths: Sequence[str | Path]) -> str | None:
    """As `shards_at`, of the data of a command. Raises UsageError for shards beside other data."""
    found = [place for path in paths if (place := shards_at(path)) is not None]
    if found and len(paths) > 1:
        fix = "Name the shards alone. To join datasets, name all of them for `ssd300 shard`, or convert them first."
        raise UsageError("shards are not joined with other data", where=found[0], fix=fix)
    return found[0] if found else None


def open_shards(
    place: str, split: str | None, purpose: Purpose, cache: ShardCache = USUAL_CACHE
) -> tuple[Dataset, list[str]]:
    """The split of that name; without one the usual for the purpose. For training it is a `ShardedDataset`, for
    evaluation its annotations are in memory. Also the names of all splits.

    Raises:
        UnusableSplitError: there is no such split.
        UsageError: the cache is too small.
        DataError: a file is missing, damaged or changed.
    """
    index = read_index(open_store(place))
    name = choose_split(index, split, purpose, place)
    row = index.splits[name]
    if is_remote(place):
        largest = sorted((shard.bytes for shard in row.shards), reverse=True)
        cache.check(sum(largest[: MIXED + AHEAD]))
    files = ShardFiles(place, cache)
    files.check_present(row.shards)
    annotations = ShardedAnnotations(files, row.shards, classes=len(index.classes))
    names, root = list(index.splits), Path(place)
    if purpose == "test":
        held = Dataset(annotations=list(annotations), classes=index.classes, root=root, split=name)
        return held.with_notes(*_notes(name, row)), names
    dataset = ShardedDataset(
        annotations=annotations,
        classes=index.classes,
        root=root,
        split=name,
        index=index,
        sampled=tuple(read_sample_of(row, files, classes=len(index.classes))),
    )
    return dataset.with_notes(*_notes(name, row), *_sample_note(row)), names


def choose_split(index: Index, split: str | None, purpose: Purpose, place: str) -> str:
    """The name of the split. Raises UnusableSplitError."""
    names = list(index.splits)
    here = f"Splits here: {', '.join(names)}. Name one with --split."
    if split is not None:
        if (found := find_split(names, split)) is None:
            raise UnusableSplitError(f"there is no split '{split}'", where=place, fix=here)
        return found
    if not (usual := candidates(names, purpose)):
        what = f"there is no split to {purpose} on ({purpose_words(purpose)})"
        raise UnusableSplitError(what, where=place, fix=here)
    return usual[0]


def read_sample_of(row: SplitOfShards, files: ShardFiles, *, classes: int) -> Iterable[Annotation]:
    """The annotations of some images of a split, without their pixels."""
    where = files.where(row.sample)
    lines = _checked(row.sample, files).splitlines()
    for number, line in enumerate(lines, start=1):
        yield from_record(line, Path(where) / f"line {number}", classes, where=f"{where}, line {number}")


def _checked(file: StoredFile, files: ShardFiles) -> bytes:
    """The content of a small file."""
    content = open_store(files.place).read(file.name)
    if (found := sha256(content).hexdigest()) != file.sha256:
        raise DataError(
            f"the file was changed: its SHA-256 is {found}, and {file.sha256} is expected",
            where=files.where(file),
            fix=WRITE_AGAIN,
        )
    return content


SHARDS_TAKE = (
    "`ssd300 shard` has --only, --classes, --format and --on-bad-label, and reads what `ssd300 convert` has written."
)


def refuse_options(place: str, given: Mapping[str, object]) -> None:
    """Raises UsageError for options of reading that shards do not have; `given` has their values."""
    if names := [name for name, value in given.items() if value]:
        raise UsageError(
            f"{' and '.join(names)} cannot be used on shards",
            where=place,
            fix=f"Leave {'it' if len(names) == 1 else 'them'} out, or write shards of such data: " + SHARDS_TAKE,
        )


def check_use(dataset: Dataset, *, sampling: str, cache: str) -> None:
    """Raises UsageError for options of training that need all annotations, or all images, at once."""
    if dataset.in_memory:
        return
    why = "shards are read in an order of their own, a few at a time"
    if sampling != "uniform":
        raise UsageError(f"--sampling {sampling} cannot be used on shards: {why}", fix="Leave --sampling out.")
    if cache != "none":
        raise UsageError(f"--cache {cache} cannot be used on shards: {why}", fix="Leave --cache out.")


def _notes(name: str, row: SplitOfShards) -> list[str]:
    size = in_bytes(sum(shard.bytes for shard in row.shards))
    return [f"split '{name}': {plural(row.images, 'image')} in {plural(len(row.shards), 'shard')}, {size}"]


def _sample_note(row: SplitOfShards) -> list[str]:
    if row.sample.images == row.images:
        return []
    share = f"{row.sample.images:,} of the {row.images:,} images"
    return [f"plots of the labels, and default boxes that are fitted, are those of a sample: {share}"]
