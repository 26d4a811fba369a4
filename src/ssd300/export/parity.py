"""Does an exported file do what its weights do? Both run on the same images, and are compared before it is kept."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssd300.boxes import iou_px
from ssd300.detection.network import Network, detect
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.runtime.manifest import Precision
from ssd300.types import LEAST_SCORE, Detections, Selection

NEARLY = 0.99  # where two overlap by just the threshold of suppression, rounding decides which is kept
SAME_PLACE = 1e-5  # of the image
CLOSE_IOU = 0.5  # a detection has a partner that overlaps it so, of its class
TIMED = 10
SEEN = Selection(min_score=LEAST_SCORE)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is let through. `found` is the least share of the detections from SHOWN_SCORE on, of the weights and of the
    file, that have a partner in the other; `score` and `box` are differences of partners that nearly all, NEARLY, stay
    within, `box` as 1 - IoU; `map_loss` is the largest loss of mAP, where there are labels.
    """

    found: float
    score: float
    box: float
    map_loss: float


LIMITS: dict[Precision, Limits] = {
    "fp32": Limits(found=0.99, score=1e-3, box=1e-3, map_loss=1e-3),
    "bf16": Limits(found=0.95, score=0.15, box=0.2, map_loss=0.005),
    "int8": Limits(found=0.85, score=0.3, box=0.4, map_loss=0.005),
}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """`detections` are those of the weights from SHOWN_SCORE on; the others are as in Limits. With no detection at all
    the shares are 1 and the differences 0.
    """

    images: int
    detections: int
    found: float
    score: float
    box: float


def agreement(weights: Sequence[Detections], file: Sequence[Detections]) -> Agreement:
    """How far the detections of an exported file are from those of its weights, image by image, relative boxes.

    A partner is looked for among all detections of the other, down to its lowest score.
    """
    shares, scores, boxes, count = [], [], [], 0
    for mine, others in ((weights, file), (file, weights)):
        with_partner, shown = 0, 0
        for one, other in zip(mine, others, strict=True):
            here, there = one.boxes[:, None].astype(np.float64), other.boxes[None].astype(np.float64)
            same_place = (np.abs(here - there) < SAME_PLACE).all(axis=2)  # empty boxes too, whose IoU is 0
            overlap = np.where(same_place, 1.0, iou_px(here, there))
            overlap = np.where(one.labels[:, None] == other.labels, overlap, 0.0)
            for row in np.flatnonzero(one.scores >= SHOWN_SCORE):
                shown += 1
                partner = int(overlap[row].argmax()) if len(other) else -1
                if partner >= 0 and overlap[row, partner] >= CLOSE_IOU:
                    with_partner += 1
                    scores.append(float(abs(one.scores[row] - other.scores[partner])))
                    boxes.append(1 - float(overlap[row, partner]))
        shares.append(with_partner / shown if shown else 1.0)
        count = count or shown
    score, box = (float(np.quantile(values, NEARLY)) if values else 0.0 for values in (scores, boxes))
    return Agreement(images=len(weights), detections=count, found=min(shares), score=score, box=box)


def violations(seen: Agreement, limits: Limits, *, map_loss: float | None = None) -> list[str]:
    """What goes beyond the limits, in words; empty if nothing does."""
    words = []
    if seen.found < limits.found:
        words.append(f"only {seen.found:.2%} of the detections have a partner, {limits.found:.2%} are wanted")
    for name, value, limit in (("score", seen.score, limits.score), ("box", seen.box, limits.box)):
        if value > limit:
            words.append(f"a {name} differs by {value:.3g}, {limit:g} is let through")
    if map_loss is not None and map_loss > limits.map_loss:
        words.append(f"mAP is {map_loss:.4f} lower, {limits.map_loss:g} is let through")
    return words


def median_ms(network: Network, images: Sequence[Any]) -> float:
    """Wall time of one decoded image, from resize to detections: the median of some, after one to warm up."""
    detect(network, images[:1], SEEN)
    seconds = []
    for number in range(TIMED):
        start = time.perf_counter()
        detect(network, [images[number % len(images)]], SEEN)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1e3
