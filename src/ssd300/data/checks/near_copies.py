"""Near copies across splits: held-out images that show what is trained on, so that they measure memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.problems import Fault, Problem
from ssd300.data.splits import role_of
from ssd300.images.near_copies import ImageHash, hash_images, nearest_copies


@dataclass(frozen=True, kw_only=True)
class NearCopy:
    """A held-out image `file` and its nearest copy `other_file`; `distance` is from 0 to `MAX_DISTANCE`."""

    split: str
    file: str
    other_split: str
    other_file: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class _Listed:
    split: str
    path: Path
    hash: ImageHash


def find_near_copies(
    splits: Mapping[str, AnnotatedImages], advance: Callable[[int, int], None] = lambda _done, _all: None
) -> list[NearCopy]:
    """One per image that has near copies in a split before its own; splits to train on come first.

    Images that are in another split byte for byte are left out, as they are a problem of their own. So are images that
    cannot be read. `advance` gets how many of how many images are read.
    """
    if len(splits) < 2:
        return []
    order = sorted(splits, key=lambda name: role_of(name) in ("val", "test"))
    listed = _hashed([(name, image.image_path) for name in order for image in splits[name].images], advance)
    splits_of: dict[str, set[str]] = {}
    for image in listed:
        splits_of.setdefault(image.hash.content, set()).add(image.split)
    found = []
    for number, name in enumerate(order[1:], start=1):
        held_out = [image for image in listed if image.split == name and len(splits_of[image.hash.content]) == 1]
        found += _nearest(held_out, [image for image in listed if image.split in order[:number]])
    return found


def near_copy_problems(copies: Sequence[NearCopy]) -> list[Problem]:
    return [
        Fault(
            "near-copy-across-splits",
            f"the image of {copy.split} is nearly the same as {copy.other_file} of {copy.other_split}",
        ).at(copy.file)
        for copy in copies
    ]


def _hashed(images: Sequence[tuple[str, Path | None]], advance: Callable[[int, int], None]) -> list[_Listed]:
    there = [(split, path) for split, path in images if path is not None]
    hashes = hash_images([path for _, path in there], advance)
    return [
        _Listed(split=split, path=path, hash=found)
        for (split, path), found in zip(there, hashes, strict=True)
        if found is not None
    ]


def _nearest(held_out: Sequence[_Listed], others: Sequence[_Listed]) -> list[NearCopy]:
    nearest = nearest_copies([image.hash for image in held_out], [image.hash for image in others])
    return [
        NearCopy(
            split=image.split, file=str(image.path), other_split=others[copy[0]].split,
            other_file=str(others[copy[0]].path), distance=copy[1],
        )
        for image, copy in zip(held_out, nearest, strict=True)
        if copy is not None
    ]  # fmt: skip
