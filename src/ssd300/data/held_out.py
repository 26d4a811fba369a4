"""The images to measure on beside those that are trained on: of the same data, and none of them in both."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ssd300.data.choices import FormatName, OnBadLabel
from ssd300.data.dataset import Dataset
from ssd300.data.image_digests import image_digests
from ssd300.data.load import build
from ssd300.data.recognition import open_data
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.dataset import USUAL_CACHE, choose_split, open_shards, shards_among
from ssd300.data.shards.index import read_index
from ssd300.data.sources import JoinedSources
from ssd300.data.splits import UnusableSplitError, role_of
from ssd300.errors import UsageError
from ssd300.system.stores import as_place, open_store
from ssd300.system.wording import plural

SHOWN = 5  # names of images in a note


def load_held_out(
    paths: Sequence[Path],
    trained_on: Dataset,
    *,
    split: str | None = None,
    format: FormatName = "auto",  # the name of the option
    on_bad_label: OnBadLabel = "error",
    require_images: bool = True,
    drop_difficult: bool = False,
    shard_cache: ShardCache = USUAL_CACHE,
) -> tuple[Dataset | None, tuple[str, ...]]:
    """The held-out split of the data at `paths` with the classes of `trained_on`, and notes for the user.

    Without `split`, it is the first for evaluation that can be used; None, with the reasons as notes, if there is none.
    Images that are trained on are left out one by one, and counted. Raises DataError as `load_dataset` does.
    """
    if (place := shards_among(paths)) is not None:
        return _of_shards(place, trained_on, split, shard_cache)
    data = open_data(paths, format)
    notes: list[str] = []
    try:
        choices = [data.named(split, option="--eval-split")] if split is not None else data.choices("test")
    except UnusableSplitError as error:
        return None, (f"no held-out images: {error.what}; splits here: {', '.join(data.split_names())}",)
    if split is None:
        choices = [choice for choice in choices if choice.name != trained_on.split]
        if not choices:
            return None, (f"no held-out images: there is no split to measure on but '{trained_on.split}'",)
    for choice in choices:
        try:
            found = data.read(choice, require_images=require_images)
        except UnusableSplitError as error:
            if split is not None:
                raise
            notes.append(f"the held-out split '{choice.name}' cannot be used: {error}")
            continue
        others = trained_on.other_classes
        whole = build(
            found,
            Path(paths[0]),
            classes=(*trained_on.classes, *others),
            only=trained_on.classes if others else None,
            on_bad_label=on_bad_label,
            drop_difficult=drop_difficult,
        )
        held_out, shared = without_images_of(whole, trained_on)
        notes += [*whole.notes, *shared]
        if len(held_out) and (split is not None or any(map(len, held_out.annotations))):
            unused = unused_splits(data, [trained_on.split, held_out.split])
            return held_out, (*notes, *_untrained(held_out, trained_on), *unused)
        notes.append(f"the held-out split '{choice.name}' has no {'object' if len(held_out) else 'image'} left")
    return None, (*notes, *unused_splits(data, [trained_on.split, *(choice.name for choice in choices)]))


def _of_shards(
    place: str, trained_on: Dataset, split: str | None, cache: ShardCache
) -> tuple[Dataset | None, tuple[str, ...]]:
    """`ssd300 shard` has left out of a held-out split what is trained on."""
    try:
        name = choose_split(read_index(open_store(place)), split, "test", place)
    except UnusableSplitError as error:
        if split is not None:
            raise
        return None, (f"no held-out images: {error.what}; {error.fix}",)
    if name == trained_on.split:
        if split is None:
            return None, (f"no held-out images: there is no split to measure on but '{trained_on.split}'",)
        fix = "Name another one with --eval-split, or leave it out."
        raise UsageError(f"the split '{name}' is what is trained on", where=place, fix=fix)
    held_out, names = open_shards(place, name, "test", cache)
    others = [name for name in names if name not in (trained_on.split, held_out.split)]
    unused = [f"not used: the {'split' if len(others) == 1 else 'splits'} {', '.join(others)}"] if others else []
    return held_out, (*held_out.notes, *_untrained(held_out, trained_on), *unused)


def unused_splits(data: JoinedSources, used: Sequence[str]) -> list[str]:
    """A note on the splits that are none of `used` and no part of another one."""
    names = {name for joined in used for name in (joined, *joined.split("+"))}
    others = [choice.name for choice in data.every()[0] if choice.name not in names]
    if not others:
        return []
    note = f"not used: the {'split' if len(others) == 1 else 'splits'} {', '.join(others)}"
    val = next((name for name in others if role_of(name) == "val"), None)
    if val is not None and any(role_of(name) == "test" for name in used):
        note += f"; with --eval-split {val} the best weights are chosen on it, and test is kept for the end"
    return [note]


def held_out_of(validation: Dataset | None, trained_on: Dataset) -> tuple[Dataset | None, list[str]]:
    """The images of `validation` that are not trained on, and a note that counts the others. Shards are not compared.

    Raises UsageError if none is left.
    """
    if validation is None or not (validation.in_memory and trained_on.in_memory):
        return validation, []
    held_out, notes = without_images_of(validation, trained_on)
    if len(validation) and not len(held_out):
        raise UsageError(
            f"all {plural(len(validation), 'held-out image')} are trained on",
            where=as_place(validation.root),
            fix="Name another split to measure on, hold images out with `hold_out(dataset, 0.2)` of ssd300.data, or "
            "measure on nothing.",
        )
    return held_out, notes


def without_images_of(held_out: Dataset, trained_on: Dataset) -> tuple[Dataset, list[str]]:
    """The held-out images that are not trained on, and a note that counts and names the others. Files of the same
    content are the same image.
    """
    trained = {annotation.image_path for annotation in trained_on.annotations}
    same = trained | _copies([annotation.image_path for annotation in held_out.annotations], trained)
    shared = [annotation.image_id for annotation in held_out.annotations if annotation.image_path in same]
    if not shared:
        return held_out, []
    left = [annotation for annotation in held_out.annotations if annotation.image_path not in same]
    names = ", ".join(shared[:SHOWN]) + (", …" if len(shared) > SHOWN else "")
    note = f"{len(shared)} of {len(held_out)} images of '{held_out.split}' are trained on and left out of it: {names}"
    return replace(held_out, annotations=left), [note]


def _copies(paths: Sequence[Path], others: Iterable[Path]) -> set[Path]:
    """The files of which another one has the same content. Only those of equal sizes are read."""
    sizes = {path: path.stat().st_size for path in (*paths, *others) if path.is_file()}
    known = {sizes[path] for path in others if path in sizes} & {sizes[path] for path in paths if path in sizes}
    read = [path for path in dict.fromkeys((*paths, *others)) if sizes.get(path) in known]
    digests = dict(zip(read, image_digests(read), strict=True))
    trained = {digests[path] for path in others if digests.get(path) is not None}
    return {path for path in paths if digests.get(path) in trained}


def _untrained(held_out: Dataset, trained_on: Dataset) -> list[str]:
    """A note on classes that are measured but cannot be learned."""
    trained, measured = trained_on.objects_per_class(), held_out.objects_per_class()
    absent = [
        f"{name} ({plural(measured[name], 'object')})" for name in trained if measured[name] and not trained[name]
    ]
    return [f"held-out classes without an object to train on: {', '.join(absent)}"] if absent else []
