"""Near copies across splits: held-out images that show what is trained on, so that they measure memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from ssd300.data.checks.images import InspectedImage
from ssd300.data.problems import Fault, Problem
from ssd300.data.splits import role_of
from ssd300.images.near_copies import nearest_copies


@dataclass(frozen=True, kw_only=True)
class NearCopy:
    """A held-out image `file` and its nearest copy `other_file`; `distance` is from 0 to `MAX_DISTANCE`."""

    split: str
    file: str
    other_split: str
    other_file: str
    distance: float


def find_near_copies(images: Sequence[InspectedImage]) -> list[NearCopy]:
    """One per image that has near copies in a split before its own; splits to train on come first.

    Images that are in another split byte for byte are left out, as they are a problem of their own. So are images that
    cannot be read.
    """
    readable = [image for image in images if image.hash is not None]
    order = sorted(dict.fromkeys(image.split for image in readable), key=lambda name: role_of(name) in ("val", "test"))
    splits_of: dict[str, set[str]] = {}
    for image in readable:
        splits_of.setdefault(_content(image), set()).add(image.split)
    found = []
    for number, name in enumerate(order[1:], start=1):
        held_out = [image for image in readable if image.split == name and len(splits_of[_content(image)]) == 1]
        found += _nearest(held_out, [image for image in readable if image.split in order[:number]])
    return found


def _content(image: InspectedImage) -> str:
    return image.hash.content if image.hash is not None else ""


def near_copy_problems(copies: Sequence[NearCopy]) -> list[Problem]:
    return [
        Fault(
            "near-copy-across-splits",
            f"the image of {copy.split} is nearly the same as {copy.other_file} of {copy.other_split}",
        ).at(copy.file)
        for copy in copies
    ]


def _nearest(held_out: Sequence[InspectedImage], others: Sequence[InspectedImage]) -> list[NearCopy]:
    nearest = nearest_copies([image.hash for image in held_out], [image.hash for image in others])
    return [
        NearCopy(
            split=image.split, file=str(image.path), other_split=others[copy[0]].split,
            other_file=str(others[copy[0]].path), distance=copy[1],
        )
        for image, copy in zip(held_out, nearest, strict=True)
        if copy is not None
    ]  # fmt: skip
