"""Which images to label next: those that the detector is least sure of, and a share of random ones."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ssd300.detection.defaults import BATCH, MEASURE, RANDOM_SHARE, Measure
from ssd300.detection.detector import Detector
from ssd300.detection.results import Result
from ssd300.detection.uncertainty import CANDIDATES, mirrored, uncertainty
from ssd300.errors import SSDError
from ssd300.images.near_copies import ImageHash, hash_image, nearest_copies
from ssd300.types import Detections

Why = Literal["unsure", "random"]


class Rated(NamedTuple):
    """An image and how unsure the detector is of it."""

    image: Path
    value: float


class Unread(NamedTuple):
    """An image that could not be read, and why."""

    image: Path
    error: SSDError


@dataclass(frozen=True, kw_only=True)
class Rating:
    """Images in the order of `by`, the least sure first and those of one value by path; and those not read."""

    by: Measure
    rated: Sequence[Rated] = field(repr=False)
    unread: Sequence[Unread] = field(repr=False)


class Chosen(NamedTuple):
    """An image to label, its value, and whether it was chosen by that or at random."""

    image: Path
    value: float
    why: Why


class Copy(NamedTuple):
    """An image that was passed over, and the chosen one that it is nearly the same as."""

    image: Path
    of: Path


@dataclass(frozen=True, kw_only=True)
class NextImages:
    """What to label next: first the least sure images, then the random ones. Each rated image is in one of the three.

    `left` are those that were not looked at once enough were chosen.
    """

    chosen: Sequence[Chosen]
    near_copies: Sequence[Copy] = field(repr=False)
    left: Sequence[Rated] = field(repr=False)


def rate_images(
    detector: Detector,
    images: Sequence[str | PathLike[str]],
    by: Measure = MEASURE,
    *,
    batch_size: int = BATCH,
    advance: Callable[[], None] = lambda: None,
) -> Rating:
    """Measure how unsure the detector is of each image file. `advance` is called at each image.

    "flip" runs the network twice. Near threshold is near the threshold that the weights hold for the class, else
    MIN_SCORE.
    """
    rated: list[Rated] = []
    unread: list[Unread] = []
    paths = [Path(fspath(image)) for image in images]
    wanted = detector.selection().min_score
    min_scores = wanted if isinstance(wanted, tuple) else (wanted,) * len(detector.card.classes)
    outcomes = detector.outcomes(paths, CANDIDATES, batch_size=batch_size)
    while group := list(islice(outcomes, batch_size)):
        results = [outcome for _, outcome in group if isinstance(outcome, Result)]
        turned = iter(_turned_back(detector, results, batch_size) if by == "flip" else ())
        for number, outcome in group:
            advance()
            if isinstance(outcome, Result):
                rated.append(Rated(paths[number], uncertainty(by, outcome, min_scores, next(turned, None))))
            else:
                unread.append(Unread(paths[number], outcome))
    return Rating(by=by, rated=sorted(rated, key=_order), unread=unread)


def choose(
    rating: Sequence[Rated],
    count: int,
    *,
    random_share: float = RANDOM_SHARE,
    seed: int = 0,
    skip_copies: bool = True,
    hash_of: Callable[[Path], ImageHash | None] = hash_image,
) -> NextImages:
    """Choose `count` images, or all there are: the least sure ones, then `random_share` of the count among the rest.

    With `skip_copies` a near copy of an image that is chosen already is passed over. `hash_of` gives what images are
    compared by. The result depends on the images, their values and the seed alone, not on their order.

    Raises:
        ValueError: `count` is under 1, or `random_share` not in 0..1.
    """
    if count < 1:
        raise ValueError(f"count is {count}; it must be 1 or more")
    if not 0 <= random_share <= 1:
        raise ValueError(f"random_share is {random_share}; it must be in 0..1")
    choice = _Choice(count, hash_of if skip_copies else None)
    at_random = round(min(count, len(rating)) * random_share)
    left = choice.take(sorted(rating, key=_order), count - at_random, "unsure")
    left.sort(key=lambda one: str(one.image))
    order = np.random.default_rng(seed).permutation(len(left))
    left = choice.take([left[place] for place in order], count, "random")
    return NextImages(chosen=choice.chosen, near_copies=choice.copies, left=sorted(left, key=_order))


class _Choice:
    """What is chosen so far, with the hashes that later images are compared with; without `hash_of` none are."""

    def __init__(self, count: int, hash_of: Callable[[Path], ImageHash | None] | None) -> None:
        self.chosen: list[Chosen] = []
        self.copies: list[Copy] = []
        self._count, self._hash_of = count, hash_of
        self._hashes: list[ImageHash | None] = []

    def take(self, images: Iterable[Rated], until: int, why: Why) -> list[Rated]:
        """Choose in this order until so many are chosen. Returns the images that were not looked at."""
        rest: Iterator[Rated] = iter(images)
        while len(self.chosen) < min(until, self._count) and (one := next(rest, None)) is not None:
            hashed = None if self._hash_of is None else self._hash_of(one.image)
            place = None if hashed is None else self._copied(hashed)
            if place is not None:
                self.copies.append(Copy(one.image, self.chosen[place].image))
            else:
                self.chosen.append(Chosen(one.image, one.value, why))
                self._hashes.append(hashed)
        return list(rest)

    def _copied(self, hashed: ImageHash) -> int | None:
        """Which of the chosen images it is a copy of; None if of none."""
        for place, other in enumerate(self._hashes):
            if other is not None and other.content == hashed.content:
                return place
        nearest = next(nearest_copies([hashed], self._hashes))
        return None if nearest is None else nearest[0]


def _order(one: Rated) -> tuple[float, str]:
    return -one.value, str(one.image)


def _turned_back(detector: Detector, results: Sequence[Result], batch_size: int) -> list[Detections]:
    """The detections of the mirror images of the results, turned back."""
    images = [np.ascontiguousarray(result.pixels[:, ::-1]) for result in results]
    found = detector.stream(images, CANDIDATES, batch_size=batch_size)
    return [mirrored(one, one.size_hw[1]) for one in found]
