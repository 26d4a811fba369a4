"""`ssd300 shard`: a dataset as tar files with its labels inside, in a folder or at an address."""

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import DataOptions, Json, OutFolder, Usual, print_json, read_classes, say
from ssd300.cli.shard_options import Size, size_of
from ssd300.errors import DataError, UsageError
from ssd300.reporting.next_steps import command, free_run
from ssd300.system.progress import shown
from ssd300.system.wording import counted, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd300.data import Dataset
    from ssd300.data.shards.index import Index
    from ssd300.data.shards.writing import LeftOut
    from ssd300.system.stores import Store

LEAST_BYTES = 10_000
SHOWN = 5  # images that were left out


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PackedData(DataOptions):
    """How the dataset is read.

    Parameters
    ----------
    split
        The split to write. Default: every split.
    """


def shard(
    data: Path,
    /,
    out: OutFolder,
    *,
    size: Annotated[Size, Usual] = "256MB",
    reading: PackedData = PackedData(),  # frozen
    json_: Json = False,
) -> None:
    """Pack a dataset into tar shards, to train without its files.

    Parameters
    ----------
    data
        A PASCAL VOC folder, COCO annotations, YOLO data, or a folder of lists.
    out
        The new folder, or an address of fsspec such as s3://bucket/folder (the extra remote). It must be empty.
    size
        The bytes of a shard, at most; one image is always written. Eight shards are mixed in training.
    reading
        How the dataset is read.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data.convert import load_splits
    from ssd300.data.shards.writing import LEFT_OUT, write_shards
    from ssd300.system.stores import as_place

    mistakes, place = Mistakes(), as_place(out)
    with mistakes.caught():
        _check_free(place)
    limit = size_of(mistakes, "--size", size, least=LEAST_BYTES)
    with mistakes.caught(), shown("reading the dataset"):
        splits, notes = load_splits(
            data,
            split=reading.split,
            classes=read_classes(reading.classes),
            format=reading.format,
            on_bad_label=reading.on_bad_label,
            only=reading.only or None,
        )
    mistakes.raise_all()
    say([*(note for dataset in splits for note in dataset.notes), *notes])
    apart, trained_on = _apart(splits)
    with _written(place) as store, shown("writing", sum(map(len, apart))) as task:
        index, left_out = write_shards(store, apart, size=limit, left_out=trained_on, advance=task.advance)
    images_in = {dataset.split: len(dataset) for dataset in splits}
    summary = _summary(images_in, index)
    if json_:
        print_json({"folder": place, "splits": summary})
        return
    _say_left_out(left_out, f"{place}/{LEFT_OUT}")
    for name, counts in summary.items():
        lost = f", {counts['left_out']:,} left out" if counts["left_out"] else ""
        sys.stdout.write(
            f"{name}: {plural(counts['images_in'], 'image')}, {counts['images']:,} written in "
            f"{plural(counts['shards'], 'shard')}{lost}\n"
        )
    sys.stdout.write(f"shards in {place}\n")
    run = free_run(PurePath(place).name).as_posix()
    next_steps(
        [
            (command("check", place), "check them, also where they were copied to"),
            (command("train", place, "--out", run), "train on them"),
        ]
    )


def _check_free(place: str) -> None:
    """Raises UsageError for a folder or an address that is not empty."""
    from ssd300.system.files import check_output_free
    from ssd300.system.stores import is_remote, open_store

    if not is_remote(place):
        check_output_free(Path(place), overwrite=False, instead="Shards are not written over other files.")
    elif names := open_store(place).names():
        fix = (
            "Name another address, or remove what is there: a command that was stopped leaves shards without an index."
        )
        raise UsageError(f"there are files already, such as {names[0]}", where=place, fix=fix)


@contextmanager
def _written(place: str) -> "Iterator[Store]":
    """Where shards are written: a folder is there whole or not at all, and at an address the index comes last."""
    from ssd300.system.files import whole_folder
    from ssd300.system.stores import is_remote, open_store

    if is_remote(place):
        yield open_store(place)
        return
    with whole_folder(Path(place)) as folder:
        yield open_store(folder)


def _apart(splits: "list[Dataset]") -> "tuple[list[Dataset], list[LeftOut]]":
    """The splits, held-out ones without the images that are trained on, and those images."""
    from ssd300.data.held_out import without_images_of
    from ssd300.data.shards.writing import LeftOut
    from ssd300.data.splits import PREFERRED, role_of

    trained = [dataset for dataset in splits if role_of(dataset.split) not in PREFERRED["test"]]
    apart, lost = [], []
    for dataset in splits:
        rest = dataset
        for other in trained if dataset not in trained else ():
            rest, _ = without_images_of(rest, other)
        kept = {annotation.image_path for annotation in rest.annotations}
        paths = [annotation.image_path for annotation in dataset.annotations if annotation.image_path not in kept]
        lost += [LeftOut(dataset.split, str(path), "it is trained on") for path in paths]
        if not len(rest):
            what = f"all images of the split '{dataset.split}' are in a training split too"
            raise DataError(what, where=dataset.root, fix="Name the splits to write one by one with --split.")
        apart.append(rest)
    return apart, lost


def _summary(images_in: dict[str, int], index: "Index") -> dict[str, dict[str, Any]]:
    return {
        name: {
            "images_in": images_in[name],
            "images": row.images,
            "left_out": row.left_out,
            "objects": sum(row.objects.values()),
            "shards": len(row.shards),
            "bytes": sum(shard.bytes for shard in row.shards),
        }
        for name, row in index.splits.items()
    }


def _say_left_out(left_out: "list[LeftOut]", file: str) -> None:
    if left_out:
        say([f"left out ({one.split}): {one.image}: {one.error}" for one in left_out[:SHOWN]])
        say([counted(len(left_out), "{image is|images are} left out, all of them listed in ") + file])
