"""Shards for `ssd300 check`: every file against its checksum, and the labels of a sample of the images.

The images were decoded when the shards were written, so a right checksum says that they can be read.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ssd300.data.checks.findings import Counts, Splits
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages, AnnotatedObject
from ssd300.data.problems import Fault, Problem
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.dataset import choose_split, read_sample_of
from ssd300.data.shards.files import ShardFiles
from ssd300.data.shards.index import SplitOfShards, StoredFile, read_index
from ssd300.errors import DataError
from ssd300.system.stores import open_store
from ssd300.system.wording import plural
from ssd300.types import Annotation


def read_shards(
    place: str,
    split: str | None,
    cache: ShardCache,
    *,
    verify: bool,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> Splits:
    """The samples of all splits, or of `split` alone, with the counts of all images; `verify` reads every shard.

    Raises DataError if the index or a sample is missing or damaged; faults of shards are reported.
    """
    index = read_index(open_store(place))
    names = list(index.splits) if split is None else [choose_split(index, split, "train", place)]
    rows = {name: index.splits[name] for name in names}
    files = ShardFiles(place, cache)
    shards = [shard for row in rows.values() for shard in row.shards]
    total, done, problems = sum(shard.images for shard in shards), 0, []
    for shard in shards if verify else ():
        problems += _problem(files, shard)
        done += shard.images
        advance(done, total)
    samples = {
        name: _images(name, list(read_sample_of(row, files, classes=len(index.classes))), index.classes)
        for name, row in rows.items()
    }
    return Splits(
        splits=samples,
        unusable=problems,
        files=None,
        notes=[note for name, row in rows.items() for note in _notes(name, row, verified=verify)],
        counts=Counts(
            images=total,
            classes={name: {part: row.objects[name] for part, row in rows.items()} for name in index.classes},
        ),
    )


def _problem(files: ShardFiles, shard: StoredFile) -> list[Problem]:
    try:
        files.places(shard)
    except DataError as error:
        return [Fault("shard", error.what, error.fix or "").at(files.where(shard))]
    return []


def _images(split: str, annotations: Sequence[Annotation], classes: tuple[str, ...]) -> AnnotatedImages:
    images = [_image(annotation, classes) for annotation in annotations]
    return AnnotatedImages(
        images=images,
        split=split,
        notes=(),
        classes=classes,
        count_names=lambda: Counter(item.name for image in images for item in image.objects),
        find_images="",
    )


def _image(annotation: Annotation, classes: tuple[str, ...]) -> AnnotatedImage:
    rows = zip(annotation.boxes_px.tolist(), annotation.labels, annotation.difficult, annotation.crowd, strict=True)
    return AnnotatedImage(
        image_id=annotation.image_id,
        image_path=Path(annotation.image_id),
        size_hw=annotation.size_hw,
        objects=tuple(
            AnnotatedObject(name=classes[label], box_px=tuple(box), difficult=bool(difficult), crowd=bool(crowd))
            for box, label, difficult, crowd in rows
        ),
        where=annotation.image_id,
    )


def _notes(name: str, row: SplitOfShards, *, verified: bool) -> list[str]:
    size = plural(len(row.shards), "shard")
    checked = f"the checksum of each of {size} is compared" if verified else f"{size}, not read"
    labels = "all annotations"
    if row.sample.images < row.images:
        labels = f"a sample, {row.sample.images:,} of {row.images:,} annotations"
    left = f"; {plural(row.left_out, 'image')} left out when they were written" if row.left_out else ""
    return [f"'{name}': {checked}; labels are checked by {labels}{left}"]
