"""Does an exported file detect what its weights detect? Both run on the same images and are compared."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssd300.boxes import iou_px
from ssd300.detection.network import Network, detect
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.export.raw import RawAgreement
from ssd300.runtime.manifest import Precision
from ssd300.types import EVALUATION_MIN_SCORE, Detections, Selection

QUANTILE = 0.99  # where the IoU of two boxes equals the NMS IoU, rounding decides which of them is suppressed
SAME_PLACE = 1e-5  # relative to the image
PARTNER_IOU = 0.5  # at least, and the same class
TIMED_CALLS = 10
COMPARED = Selection(min_score=EVALUATION_MIN_SCORE)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may differ between a file and its weights.

    `found` is the minimum share of detections that have a partner in the other, for the file and for the weights;
    detections with scores below SHOWN_SCORE are not counted. `score` and `box` limit the QUANTILE of the differences
    between partners, `box` as 1 - IoU. `map_loss` is the maximum loss of mAP on labeled images. `moved` and
    `unexplained` are limits of RawAgreement, and `box` is one of its boxes too.
    """

    found: float
    score: float
    box: float
    map_loss: float
    moved: float
    unexplained: float


LIMITS: dict[Precision, Limits] = {
    "fp32": Limits(found=0.99, score=1e-3, box=1e-3, map_loss=1e-3, moved=1e-3, unexplained=1e-3),
    "bf16": Limits(found=0.95, score=0.15, box=0.2, map_loss=0.005, moved=0.08, unexplained=0.25),
    "int8": Limits(found=0.85, score=0.3, box=0.4, map_loss=0.005, moved=0.08, unexplained=0.25),
}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What two lists of detections have in common.

    `detections` counts those of the weights with a score of at least SHOWN_SCORE, or of the file if the weights have
    none. The others are as in Limits: `found` is the smaller of the two shares. Without any detection it is 1, and the
    differences are 0.
    """

    images: int
    detections: int
    found: float
    score: float
    box: float


def agreement(weights: Sequence[Detections], file: Sequence[Detections]) -> Agreement:
    """Compare the detections of an exported file with those of its weights, image by image. Boxes are relative.

    The partner of a detection is, of those of its class whose IoU with it is at least PARTNER_IOU, the one with the
    best score, however low: NMS may leave a second, lower one of the same object.
    """
    shares, scores, boxes, count = [], [], [], 0
    for mine, others in ((weights, file), (file, weights)):
        with_partner, shown = 0, 0
        for one, other in zip(mine, others, strict=True):
            here, there = one.boxes[:, None].astype(np.float64), other.boxes[None].astype(np.float64)
            same_place = (np.abs(here - there) < SAME_PLACE).all(axis=2)  # empty boxes too, whose IoU is 0
            iou = np.where(same_place, 1.0, iou_px(here, there))
            iou = np.where(one.labels[:, None] == other.labels, iou, 0.0)
            for row in np.flatnonzero(one.scores >= SHOWN_SCORE):
                shown += 1
                partners = np.flatnonzero(iou[row] >= PARTNER_IOU)
                if len(partners):
                    partner = int(partners[other.scores[partners].argmax()])
                    with_partner += 1
                    scores.append(float(abs(one.scores[row] - other.scores[partner])))
                    boxes.append(1 - float(iou[row, partner]))
        shares.append(with_partner / shown if shown else 1.0)
        count = count or shown
    score, box = (float(np.quantile(values, QUANTILE)) if values else 0.0 for values in (scores, boxes))
    return Agreement(images=len(weights), detections=count, found=min(shares), score=score, box=box)


def violations(seen: Agreement, limits: Limits, *, map_loss: float | None = None) -> list[str]:
    """A sentence for each limit that is exceeded."""
    sentences = []
    if seen.found < limits.found:
        sentences.append(f"only {seen.found:.2%} of the detections have a partner; the limit is {limits.found:.2%}")
    for name, value, limit in (("score", seen.score, limits.score), ("box", seen.box, limits.box)):
        if value > limit:
            sentences.append(f"a {name} differs by {value:.3g}; the limit is {limit:g}")
    if map_loss is not None and map_loss > limits.map_loss:
        sentences.append(f"mAP is {map_loss:.4f} lower; the limit is {limits.map_loss:g}")
    return sentences


def raw_violations(raw: RawAgreement, limits: Limits) -> list[str]:
    """A sentence for each limit that raw outputs exceed. A value that is no number exceeds it."""
    sentences = []
    if not raw.moved <= limits.moved:
        sentences.append(f"scores differ by {raw.moved:.2%} of their sum; the limit is {limits.moved:.2%}")
    if not raw.unexplained <= limits.unexplained:
        sentences.append(
            f"on one feature map {raw.unexplained:.2%} of what the scores vary is lost; the limit is "
            f"{limits.unexplained:.2%}"
        )
    if not raw.box <= limits.box:
        sentences.append(f"a box of a default box differs by {raw.box:.3g} (1 - IoU); the limit is {limits.box:g}")
    return sentences


def median_ms(networks: Mapping[str, Network], images: Sequence[Any]) -> dict[str, float]:
    """Milliseconds of each network from a decoded image to its detections: the median of TIMED_CALLS, after one to
    warm up. The networks take turns, so that other work on the machine slows all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(TIMED_CALLS + 1):
        for name, network in networks.items():
            start = time.perf_counter()
            detect(network, [images[number % len(images)]], COMPARED)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) * 1e3 for name, times in seconds.items()}
