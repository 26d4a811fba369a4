"""Which image to label next: those that the detector is least sure of, with a share of random ones among them."""

import random
from collections.abc import Collection, Mapping

from ssd300.labeling.proposals import Proposed

RANDOM_EVERY = 5  # one of so many is random, so that what the detector is wrongly sure of is seen too
SEED = 0


def least_sure_first(known: Mapping[int, Proposed], labeled: Collection[int], count: int) -> list[int]:
    """All of `count` images by their numbers: those without labels that were looked at, the least sure first; then the
    others without labels, and the labeled ones. Without anything known, that is the order of the numbers.
    """
    open_ones = [number for number in range(count) if number not in labeled]
    looked_at = [number for number in open_ones if number in known]
    by_doubt = sorted(looked_at, key=lambda number: (-_doubt(known[number]), number))
    by_chance = random.Random(SEED).sample(by_doubt, len(by_doubt))
    chosen: dict[int, None] = {}
    doubtful, chances = iter(by_doubt), iter(by_chance)
    for place in range(len(by_doubt)):
        source = chances if place % RANDOM_EVERY == RANDOM_EVERY - 1 else doubtful
        chosen[next(number for number in source if number not in chosen)] = None
    rest = [number for number in open_ones if number not in known]
    return [*chosen, *rest, *sorted(labeled)]


def _doubt(proposed: Proposed) -> float:
    """How unsure the detections of an image are together, 0 to 1 for each: a score of a half is the least sure."""
    return sum((1 - abs(2 * one.score - 1) for one in proposed.proposals), 0.0)
