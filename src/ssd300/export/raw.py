"""Raw outputs of a file and of its weights, for every default box of every image, whether or not there is an object.

Detections alone cannot be compared on an image without objects: there, all files agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from ssd300.boxes import iou_px
from ssd300.detection.torch_network import TorchNetwork
from ssd300.model.boxes import decode
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.types import Selection

BEST = 200  # default boxes of an image, those with the best scores of the weights: as many as detections are shown
LEAST = 1e-6  # scores are compared as log odds; float32 has no more digits than this below 1
PROBES = 4
TINY = 1e-12  # a variance that is none
ANY = Selection(min_score=0.0)


class Raw(NamedTuple):
    """Boxes (xyxy, relative) and scores of all classes without background, of all default boxes of an image."""

    boxes: Float[np.ndarray, "boxes 4"]
    scores: Float[np.ndarray, "boxes classes"]


@dataclass(frozen=True, kw_only=True)
class RawAgreement:
    """What the raw outputs have in common.

    `scores` counts the scores that were compared, and is never 0. `moved` is the sum of the differences of the scores
    of the BEST default boxes, relative to the sum of these scores. `unexplained` is the share of the variance of the
    log odds that the file does not have in common with the weights, for the feature map where it is largest. `box` is
    the quantile of 1 - IoU of the BEST default boxes, each weighted by its score, as a pixel more or less is much of a
    tiny box that nobody sees; or the mean of all boxes of a feature map where that is larger: a map without any of the
    BEST boxes counts too.
    """

    images: int
    scores: int
    moved: float
    unexplained: float
    box: float


def of_weights(network: TorchNetwork, inputs: torch.Tensor) -> Raw:
    """The raw outputs of the weights for one prepared image."""
    model = network.model
    predictions = network.predict([inputs], ANY)
    scores = predictions.logits[0].float().softmax(dim=1)[:, 1:]
    boxes = decode(predictions.offsets[0].float(), model.default_boxes, model.settings.variances)
    if network.card.clip_boxes:
        boxes = boxes.clamp(0, 1)
    return Raw(boxes.cpu().numpy(), scores.cpu().numpy())


def best_boxes(raw: Raw) -> Int[np.ndarray, " n"]:
    """The rows of the BEST default boxes."""
    return np.argsort(-raw.scores.max(axis=1), kind="stable")[:BEST]


def moved_scores(weights: Sequence[Raw], file: Sequence[Raw]) -> float:
    """`moved` of RawAgreement."""
    difference, total = 0.0, 0.0
    for one, other in zip(weights, file, strict=True):
        rows = best_boxes(one)
        difference += float(np.abs(one.scores[rows] - other.scores[rows]).sum())
        total += float(np.maximum(one.scores[rows], other.scores[rows]).sum())
    return difference / total if total else 0.0


def raw_agreement(
    weights: Sequence[Raw], file: Sequence[Raw], first_boxes: Sequence[int], *, quantile: float
) -> RawAgreement:
    """Compare outputs of at least one image. `first_boxes` are the rows where the boxes of each feature map begin."""
    unexplained, box = 0.0, 0.0
    for first, end in zip(first_boxes, [*first_boxes[1:], len(weights[0].scores)], strict=True):
        here = np.stack([_log_odds(raw.scores[first:end]) for raw in weights])
        there = np.stack([_log_odds(raw.scores[first:end]) for raw in file])
        variance = max(float(here.var()), TINY)
        difference = float(((here - there) ** 2).mean())
        unexplained = max(unexplained, difference / variance if np.isfinite(difference) else np.inf)
        of_map = [
            _box_differences(one.boxes[first:end], other.boxes[first:end])
            for one, other in zip(weights, file, strict=True)
        ]
        box = max(box, float(np.mean(of_map)))
    best = [
        (_box_differences(one.boxes[rows], other.boxes[rows]), one.scores[rows].max(axis=1))
        for one, other in zip(weights, file, strict=True)
        for rows in [best_boxes(one)]
    ]
    differences, scores = (np.concatenate(column) for column in zip(*best, strict=True))
    return RawAgreement(
        images=len(weights),
        scores=sum(raw.scores.size for raw in weights),
        moved=moved_scores(weights, file),
        unexplained=unexplained,
        box=max(box, weighted_quantile(differences, scores, quantile)),
    )


def weighted_quantile(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], quantile: float) -> float:
    """The least of the values below or at which this share of the weight lies; weights are not negative."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order], dtype=np.float64)
    place = int(np.searchsorted(reached, quantile * reached[-1]))
    return float(values[order[min(place, len(order) - 1)]])


def first_boxes_of(settings: DefaultBoxSettings) -> list[int]:
    """The row of the first default box of each feature map."""
    counts = [size**2 * boxes for size, boxes in zip(settings.map_sizes, settings.per_cell, strict=True)]
    return [0, *np.cumsum(counts)[:-1].tolist()]


def probes(size_px: int) -> list[np.ndarray]:
    """Images of colored spots (RGB), the same each time. They show swapped channels and wrong ranges of pixel values
    where the images of a user, which may be gray or dark, do not.
    """
    random = np.random.default_rng(0)
    spots = [random.integers(0, 256, (5, 5, 3), dtype=np.uint8) for _ in range(PROBES)]
    repeats = -(-size_px // 5)
    return [spot.repeat(repeats, axis=0).repeat(repeats, axis=1)[:size_px, :size_px] for spot in spots]


def _log_odds(scores: np.ndarray) -> np.ndarray:
    inside = np.clip(scores.astype(np.float64), LEAST, 1 - LEAST)
    odds: np.ndarray = np.log(inside) - np.log1p(-inside)
    return odds


def _box_differences(weights: np.ndarray, file: np.ndarray) -> np.ndarray:
    """1 - IoU of each box with its own."""
    here, there = weights.astype(np.float64), file.astype(np.float64)
    same = (np.abs(here - there) < 1e-5).all(axis=1)  # empty boxes too, whose IoU is 0
    iou = iou_px(here, there)
    differences: np.ndarray = np.where(same, 0.0, 1 - np.nan_to_num(iou))
    return differences
