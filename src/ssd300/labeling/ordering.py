"""Which image to label next: those that the detector is least sure of, with a share of random ones among them."""

import random
from collections.abc import Collection, Mapping

import numpy as np

from ssd300.detection.defaults import RANDOM_SHARE
from ssd300.detection.uncertainty import CANDIDATE_MIN_SCORE, summed_entropy
from ssd300.labeling.proposals import Proposed

RANDOM_EVERY = round(1 / RANDOM_SHARE)  # one of so many is random: what the detector is wrongly sure of is seen too
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
    """The summed entropy of the detections, as `ssd300 next` measures it."""
    scores = [one.score for one in proposed.proposals if one.score >= CANDIDATE_MIN_SCORE]
    return summed_entropy(np.array(scores, dtype=np.float64))
