"""Average precision on resampled images: how much it would vary with other images of the same kind.

A resample is a sample of as many images as there are, with replacement (Efron 1979). An image that is sampled twice
counts twice, with its objects and detections. Which detections are true does not change, as matching is done within an
image. So the matching is done once, and a resample is one weight per image.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from ssd300.metrics.voc import RECALL_STEPS
from ssd300.metrics.voc_matching import Judged
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules

MAX_AT_ONCE = 2_000_000  # weights of detections in memory


def resample_weights(
    num_images: int, resamples: int, *, seed: int, at_once: int = 64
) -> Iterator[Int[np.ndarray, "r images"]]:
    """How often each image is in each resample, up to `at_once` resamples at a time, `resamples` of them in all."""
    random = np.random.default_rng(seed)
    for first in range(0, resamples, at_once):
        count = min(at_once, resamples - first)
        sampled = random.integers(0, num_images, (count, num_images)) + np.arange(count)[:, None] * num_images
        yield np.bincount(sampled.ravel(), minlength=count * num_images).reshape(count, num_images).astype(np.int32)


def weighted_average_precision(
    judged: Judged, weights: Int[np.ndarray, "r images"], *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT
) -> Float[np.ndarray, " r"]:
    """AP (0..1) of a class for each row of weights; NaN where none of its objects is sampled.

    With weights of one it is the AP of `voc.average_precision`.
    """
    true_rows = np.flatnonzero(judged.true)
    last = int(true_rows[-1]) + 1 if len(true_rows) else 0  # false detections after the last true one change nothing
    images = judged.images[:last]
    ap = np.empty(len(weights))
    at_once = max(1, MAX_AT_ONCE // max(last, 1))
    for first in range(0, len(weights), at_once):
        part = weights[first : first + at_once]
        objects = part @ judged.objects
        counts = part[:, images]
        ap[first : first + at_once] = _average(
            np.cumsum(counts[:, true_rows], axis=1, dtype=np.int64),
            np.cumsum(counts, axis=1, dtype=np.int32)[:, true_rows],
            counts[:, true_rows],
            objects,
            protocol,
            rules,
        )
    return ap


def _average(
    true: Int[np.ndarray, "r t"],
    all_: Int[np.ndarray, "r t"],
    steps: Int[np.ndarray, "r t"],
    objects: Int[np.ndarray, " r"],
    protocol: Protocol,
    rules: VocRules,
) -> Float[np.ndarray, " r"]:
    """AP from the numbers of true and of all detections up to each true one; `steps` are the true ones' weights."""
    precision = true / np.maximum(all_, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    envelope = np.concatenate([envelope, np.zeros((len(true), 1))], axis=1)  # 0 at recalls that are never reached
    known = np.maximum(objects, 1)
    if protocol == "voc12":
        ap = (steps * envelope[:, :-1]).sum(axis=1) / known
    elif rules.voc07_thresholds == "exact":
        points = np.arange(RECALL_STEPS + 1) * known[:, None]
        ap = _at(RECALL_STEPS * true, points, envelope)
    else:
        ap = _at(true / known[:, None], np.broadcast_to(np.arange(0.0, 1.1, 0.1), (len(true), 11)), envelope)
    averages: np.ndarray = np.where(objects > 0, ap, np.nan)
    return averages


def _at(reached: np.ndarray, points: np.ndarray, envelope: Float[np.ndarray, "r _"]) -> Float[np.ndarray, " r"]:
    """The mean of the envelope at the places where each row first reaches each of its points."""
    places = [np.searchsorted(row, point) for row, point in zip(reached, points, strict=True)]
    mean: np.ndarray = np.take_along_axis(envelope, np.array(places).reshape(len(reached), -1), axis=1).mean(axis=1)
    return mean
