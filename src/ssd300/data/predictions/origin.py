"""What is known of stored predictions besides their rows: how they were made, and of which images they may be too."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TypeAlias

from ssd300.errors import DataError

ImagesOfSplits: TypeAlias = Callable[[], Iterable[tuple[str, str]]]  # of the data: a path or id, and its split


def no_images() -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`rows` is how many images they are of, `lowest_min_score` and `top_k` are what they were cut by when they were
    made; None where that is not known. `other_splits` gives the images of the data in other splits.
    """

    rows: int | None = None
    lowest_min_score: float | None = None
    top_k: int | None = None
    other_splits: ImagesOfSplits = no_images


UNKNOWN = Origin()


class OtherSplitError(DataError):
    """A row of an image that another `split` of the data has."""

    def __init__(self, name: str, split: str) -> None:
        super().__init__(f"the image '{name}' is in the split '{split}'", fix="Evaluate on that split with --split.")
        self.split = split


class OtherSplits:
    """The images in other splits, found by the end of their paths."""

    def __init__(self, images: Iterable[tuple[str, str]]) -> None:
        self._by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name, split in images:
            path = PureWindowsPath(name)  # with either kind of slash
            self._by_stem.setdefault(path.stem, []).append((path.parts[-2::-1], split))

    def split_of(self, written: PureWindowsPath) -> tuple[int, str] | None:
        """How many folders the path of an image shares with a written one, from its end on, and its split: of the image
        that shares most; None if there is none of its name.
        """
        folders = written.parts[-2::-1]
        alike = self._by_stem.get(written.stem, ())
        found = [(shared_beginning(own, folders), split) for own, split in alike]
        return max(found, key=lambda one: one[0], default=None)


def shared_beginning(one: Iterable[str], other: Iterable[str]) -> int:
    """How many items two sequences share, from their first one on."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
