"""Which image to label next: those that the detector is least sure of, with a share of random ones among them."""

import random
from collections.abc import Collection, Mapping

from ssd300.detection.defaults import RANDOM_SHARE, Measure
from ssd300.detection.uncertainty import uncertainty
from ssd300.labeling.proposals import Proposer

RANDOM_EVERY = round(1 / RANDOM_SHARE)  # one of so many is random: what the detector is wrongly sure of is seen too
SEED = 0


def doubts(proposer: Proposer, by: Measure) -> dict[int, float]:
    """How unsure the detector is of each image that it looked at, by its number, as `ssd300 next` measures it.

    For "flip" those images count that it looked at in a mirror too. An image that cannot be read has 0.
    """
    min_scores = list(proposer.thresholds.values())
    turned_back = proposer.all_turned_back() if by == "flip" else {}
    return {
        number: 0.0 if one.detections is None else uncertainty(by, one.detections, min_scores, turned_back.get(number))
        for number, one in proposer.all_known().items()
        if by != "flip" or number in turned_back
    }


def least_sure_first(doubt: Mapping[int, float], labeled: Collection[int], count: int) -> list[int]:
    """All of `count` images by their numbers: those without labels whose doubt is known, the least sure first; then the
    others without labels, and the labeled ones. Without anything known, that is the order of the numbers.
    """
    open_ones = [number for number in range(count) if number not in labeled]
    by_doubt = sorted((one for one in open_ones if one in doubt), key=lambda number: (-doubt[number], number))
    by_chance = random.Random(SEED).sample(by_doubt, len(by_doubt))
    chosen: dict[int, None] = {}
    doubtful, chances = iter(by_doubt), iter(by_chance)
    for place in range(len(by_doubt)):
        source = chances if place % RANDOM_EVERY == RANDOM_EVERY - 1 else doubtful
        chosen[next(number for number in source if number not in chosen)] = None
    rest = [number for number in open_ones if number not in doubt]
    return [*chosen, *rest, *sorted(labeled)]
