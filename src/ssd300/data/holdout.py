"""A held-out part of a dataset that has none: seeded, by image, with near copies on one side.

A random split puts frames of one scene into both parts, and measures memory.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from ssd300.data.dataset import NOT_UTF8, Dataset
from ssd300.errors import UsageError
from ssd300.images.near_copies import group_copies, hash_images
from ssd300.system.stores import as_place
from ssd300.system.wording import counted, plural
from ssd300.types import Annotation

TRAIN, HOLDOUT = "train", "holdout"
TRIED = 20  # groups of a class, to have it in a part that lacks it


def hold_out(
    dataset: Dataset,
    share: float,
    *,
    seed: int = 0,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Dataset, Dataset]:
    """The part to train on, and about `share` of the images, held out: the same ones in whatever order they are listed.

    Images that are copies or near copies of one another form a group, which is in one part. Of all sums of groups, the
    one nearest to `share` is held out; among equal sums, one that has every class in both parts if it is found. The
    choice is the only note of the held-out part; other notes and `dropped` stay with the other one. `advance` gets how
    many of how many images are read.

    Raises:
        UsageError: `share` is not between 0 and 1, the images form a single group, or they lie in shards.
    """
    if not dataset.in_memory:
        raise UsageError(
            "no images can be held out of shards",
            where=as_place(dataset.root),
            fix="Name one of their splits with --eval-split, or hold images out before they are packed: "
            "`ssd300 split DATA --out lists --holdout 0.2`, then `ssd300 shard lists --out new-shards`.",
        )
    if not 0 < share < 1:
        raise UsageError(f"the share to hold out is {share:g}", fix="Choose one between 0 and 1, such as 0.2.")
    ordered = sorted(dataset.annotations, key=lambda annotation: (annotation.image_id, str(annotation.image_path)))
    hashes = hash_images([annotation.image_path for annotation in ordered], advance)
    groups = _shuffled(ordered, group_copies(hashes), seed)
    if len(groups) < 2:
        raise _one_group(dataset)
    present = _classes_present(ordered, groups, len(dataset.classes))
    chosen = _choose_with_classes(np.array([len(group) for group in groups]), share * len(ordered), present)
    held_out = {id(ordered[row]) for group, out in zip(groups, chosen, strict=True) if out for row in group}
    train = [annotation for annotation in dataset.annotations if id(annotation) not in held_out]
    rest = [annotation for annotation in dataset.annotations if id(annotation) in held_out]
    note = _Outcome(
        images=len(ordered), held_out=len(rest), share=share, seed=seed, unread=hashes.count(None),
        grouped=sum(len(group) for group in groups if len(group) > 1), groups=sum(len(group) > 1 for group in groups),
    ).note()  # fmt: skip
    return (
        replace(dataset, annotations=train, split=TRAIN),
        replace(dataset, annotations=rest, split=HOLDOUT, notes=(note,), dropped={}),
    )


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """In images, but `groups` are those of more than one image, and `grouped` the images in them."""

    images: int
    held_out: int
    share: float
    seed: int
    groups: int
    grouped: int
    unread: int

    def note(self) -> str:
        parts = [
            f"held out: {self.held_out:,} of {self.images:,} images ({self.held_out / self.images:.3f}; wanted "
            f"{self.share:g}), seed {self.seed}",
        ]
        if self.groups:
            parts.append(
                f"{self.grouped:,} images are copies or near copies of others, in {plural(self.groups, 'group')}, each "
                "in one part"
            )
        if self.unread:
            parts.append(counted(self.unread, "{image|images} cannot be read, so {its|their} copies are not known"))
        return "; ".join(parts)


def _one_group(dataset: Dataset) -> UsageError:
    if len(dataset) < 2:
        return UsageError("one image cannot be split", where=dataset.root, fix="Add images.")
    return UsageError(
        f"all {len(dataset)} images are near copies of one another, so none can be held out",
        where=dataset.root,
        fix="Add images of another scene; or choose images to hold out by hand, and expect a score that is too high.",
    )


def _shuffled(ordered: Sequence[Annotation], numbers: Int[np.ndarray, " n"], seed: int) -> list[list[int]]:
    """The rows of each group. A group's place depends on its first image and the seed, not on the other groups."""
    groups: dict[int, list[int]] = {}
    for row, number in enumerate(numbers.tolist()):
        groups.setdefault(number, []).append(row)

    def place(group: list[int]) -> bytes:
        return hashlib.sha256(f"{seed} {ordered[group[0]].image_id}".encode(errors=NOT_UTF8)).digest()

    return sorted(groups.values(), key=place)


def _choose(
    sizes: Int[np.ndarray, " groups"], wanted: float, fixed: Int[np.ndarray, " groups"]
) -> Bool[np.ndarray, " groups"] | None:
    """Which groups to take so that the sum of their sizes is as near to `wanted` as can be; some, but not all.

    Groups are taken where `fixed` is 1, left where it is 0, and free where it is -1. Of the free ones that could give
    the sum, the first ones are taken. None if the fixed ones leave no choice.
    """
    chosen: np.ndarray = fixed == 1
    taken, free = int(sizes[chosen].sum()), np.flatnonzero(fixed == -1)
    best = max(round(wanted) - taken, 0 if taken else 1)
    completed_by = np.full(best + int(sizes.max()) + 1, -1)  # the first group with which a sum can be reached
    reached = completed_by >= 0
    reached[0] = True
    for group in free:
        new = np.zeros_like(reached)
        new[sizes[group] :] = reached[: -sizes[group]]
        new &= ~reached
        completed_by[new] = group
        reached |= new
        if reached[best] and best + taken < sizes.sum():
            break
    sums = np.flatnonzero(reached)
    sums = sums[(sums + taken > 0) & (sums + taken < sizes.sum())]
    if not len(sums):
        return None
    left = int(sums[np.abs(sums + taken - wanted).argmin()])
    while left:
        chosen[completed_by[left]] = True
        left -= int(sizes[completed_by[left]])
    return chosen


def _choose_with_classes(
    sizes: Int[np.ndarray, " groups"], wanted: float, present: Bool[np.ndarray, "groups classes"]
) -> Bool[np.ndarray, " groups"]:
    """As `_choose`, with groups of each class in both parts where that brings the sum no further from `wanted`.

    Classes of few groups come first; each fixes a group in each part.
    """
    fixed = np.full(len(sizes), -1)
    chosen = _choose(sizes, wanted, fixed)
    assert chosen is not None  # there are two groups or more
    for name in np.argsort(present.sum(axis=0), kind="stable"):
        having = np.flatnonzero(present[:, name])
        having = having[np.argsort(sizes[having], kind="stable")]
        for part in (1, 0) if len(having) > 1 else ():
            there = having[chosen[having] == part]
            if len(there):
                fixed[there[0]] = part
                continue
            for group in having[fixed[having] == -1][:TRIED]:
                fixed[group] = part
                other = _choose(sizes, wanted, fixed)
                if other is not None and _miss(other, sizes, wanted) <= _miss(chosen, sizes, wanted):
                    chosen = other
                    break
                fixed[group] = -1
    return chosen


def _miss(chosen: Bool[np.ndarray, " groups"], sizes: Int[np.ndarray, " groups"], wanted: float) -> float:
    return abs(int(sizes[chosen].sum()) - wanted)


def _classes_present(
    ordered: Sequence[Annotation], groups: Sequence[Sequence[int]], classes: int
) -> Bool[np.ndarray, "groups classes"]:
    present = np.zeros((len(groups), classes), dtype=bool)
    for number, group in enumerate(groups):
        for row in group:
            present[number, ordered[row].labels] = True
    return present
