"""Evaluation: a model, or stored predictions, and labelled pictures in; a Report out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch

from ssd300.data.dataset import Dataset, OnBadImage
from ssd300.data.loader import read_sample
from ssd300.detect import Detector
from ssd300.errors import DataError, WeightsError
from ssd300.metrics.voc import ClassResult, mean_ap, metric_name, voc_average_precision
from ssd300.model.postprocess import Selection
from ssd300.types import Annotation, DetectionTable
from ssd300.weights import load_weights

Thresholds = Literal["exact", "float64"]
Metric = Literal["voc07", "voc12"]
IOU_THRESHOLD = 0.5
CAFFE_TEST = Selection()
BATCH = 8
_NO_ROW, _NO_SCORE = np.zeros(0, np.int64), np.zeros(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """One metric over a data set. `map` is None when no class has a countable object."""

    metric: str
    map: float | None
    per_class: dict[str, ClassResult]

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "map": self.map,
            "per_class": {
                name: {"ap": result.ap, "objects": result.objects, "detections": result.detections}
                for name, result in self.per_class.items()
            },
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """The scores of the same detections by each metric asked for; `metric`, `map` and `per_class` are the first's.

    `dataset` is what was scored. `skipped` says which of its pictures could not be read: they and their objects are
    left out of it.
    """

    scores: Sequence[Score]
    dataset: Dataset
    detections: DetectionTable
    skipped: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        return len(self.dataset)

    @property
    def metric(self) -> str:
        return self.scores[0].metric

    @property
    def map(self) -> float | None:
        return self.scores[0].map

    @property
    def per_class(self) -> dict[str, ClassResult]:
        return self.scores[0].per_class

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the score itself, or a list `metrics` of several."""
        scores = [score.to_dict() for score in self.scores]
        return (scores[0] if len(scores) == 1 else {"metrics": scores}) | {
            "images": self.images,
            "skipped_images": len(self.skipped),
        }


def evaluate(
    weights: str | Path,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    voc07_thresholds: Thresholds = "exact",
    selection: Selection = CAFFE_TEST,
    on_bad_image: OnBadImage = "error",
    device: str | torch.device = "cpu",
    precision: torch.dtype = torch.float32,
) -> Report:
    """Detect on every picture of `dataset` with the detector that `weights` names, and score the detections.

    Raises:
        WeightsError: the weights cannot be read, or do not know a class that the data has objects of.
        DataError: a picture cannot be read, and `on_bad_image` does not skip it; or none is left.
    """
    model, card = load_weights(weights)
    detector = Detector(model, card, device=torch.device(device), precision=precision)
    return evaluate_detector(
        detector,
        dataset,
        metrics=metrics,
        voc07_thresholds=voc07_thresholds,
        selection=selection,
        on_bad_image=on_bad_image,
    )


def evaluate_detector(
    detector: Detector,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    voc07_thresholds: Thresholds = "exact",
    selection: Selection = CAFFE_TEST,
    on_bad_image: OnBadImage = "error",
) -> Report:
    """As `evaluate`, with a detector that is loaded already. Its model is left in evaluation mode."""
    known = with_classes_of(detector, dataset)
    found = detect_all(detector, known, selection, on_bad_image)
    return report_of(known, found, metrics=metrics, voc07_thresholds=voc07_thresholds)


def with_classes_of(detector: Detector, dataset: Dataset) -> Dataset:
    """The data, its objects numbered as the detector numbers them. Raises WeightsError for an unknown class."""
    try:
        return dataset.with_classes(detector.card.classes)
    except ValueError as error:
        raise WeightsError(
            f"the weights do not know all classes of the data: {error}",
            where=dataset.root,
            fix="Evaluate on data of the weights' classes, or with the weights that were trained on these.",
        ) from error


class Found(NamedTuple):
    """Detections in original pixels; the pictures that they are numbered by; those that could not be read."""

    table: DetectionTable
    readable: list[Annotation]
    skipped: tuple[str, ...]


class InterruptedEvaluationError(Exception):
    """An evaluation was given up, because it was asked to."""


def detect_all(
    detector: Detector,
    dataset: Dataset,
    selection: Selection,
    on_bad_image: OnBadImage = "error",
    interrupted: Callable[[], bool] = lambda: False,
) -> Found:
    """What the detector finds in each picture that can be read. No picture gives no detections.

    Raises:
        DataError: a picture cannot be read, and `on_bad_image` does not skip it.
        InterruptedEvaluationError: `interrupted` said so, before a batch.
    """
    images, labels, scores, boxes = [_NO_ROW], [_NO_ROW], [_NO_SCORE], [_NO_SCORE.reshape(0, 4)]
    readable: list[Annotation] = []
    skipped: list[str] = []
    for start in range(0, len(dataset), BATCH):
        if interrupted():
            raise InterruptedEvaluationError
        first, samples = len(readable), []
        for annotation in dataset.annotations[start : start + BATCH]:
            try:
                samples.append(read_sample(annotation))
                readable.append(annotation)
            except DataError as error:
                if on_bad_image == "error":
                    raise
                skipped.append(str(error))
        if not samples:
            continue
        found = detector.detect([sample.image for sample in samples], selection)
        for offset, (sample, detections) in enumerate(zip(samples, found, strict=True)):
            placed = detections.scaled(sample.size_hw)
            images.append(np.full(len(placed), first + offset))
            labels.append(placed.labels)
            scores.append(placed.scores.astype(np.float64))
            boxes.append(placed.boxes.astype(np.float64))
    table = DetectionTable(
        image_index=np.concatenate(images),
        labels=np.concatenate(labels),
        scores=np.concatenate(scores),
        boxes_px=np.concatenate(boxes),
    )
    return Found(table, readable, tuple(skipped))


def join(pieces: Sequence[Found]) -> Found:
    """What was found in consecutive pieces of a data set, as if it had been one."""
    firsts = np.cumsum([0] + [len(piece.readable) for piece in pieces[:-1]])
    tables = [piece.table for piece in pieces]
    table = DetectionTable(
        image_index=np.concatenate([table.image_index + first for table, first in zip(tables, firsts, strict=True)]),
        labels=np.concatenate([table.labels for table in tables]),
        scores=np.concatenate([table.scores for table in tables]),
        boxes_px=np.concatenate([table.boxes_px for table in tables]),
    )
    readable = [annotation for piece in pieces for annotation in piece.readable]
    return Found(table, readable, tuple(picture for piece in pieces for picture in piece.skipped))


def report_of(
    dataset: Dataset,
    found: Found,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    voc07_thresholds: Thresholds = "exact",
) -> Report:
    """The report of what was found in `dataset`. Raises DataError if none of its pictures could be read."""
    if not found.readable:
        what = f"no picture can be read; the first: {found.skipped[0]}" if found.skipped else "there are no pictures"
        raise DataError(what, where=dataset.root)
    scored = replace(dataset, annotations=found.readable) if found.skipped else dataset
    report = score(scored, found.table, metrics=metrics, voc07_thresholds=voc07_thresholds)
    return replace(report, skipped=found.skipped)


def score(
    dataset: Dataset,
    table: DetectionTable,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    voc07_thresholds: Thresholds = "exact",
) -> Report:
    """The report of detections that are there already. Raises ValueError without a metric."""
    if not metrics:
        raise ValueError(f"no metric was named; there are {', '.join(get_args(Metric))}")
    scores = []
    for metric in metrics:
        results = voc_average_precision(
            dataset.annotations,
            table,
            len(dataset.classes),
            protocol=metric,
            iou_threshold=IOU_THRESHOLD,
            voc07_thresholds=voc07_thresholds,
        )
        scores.append(
            Score(
                metric=metric_name(metric, IOU_THRESHOLD, voc07_thresholds),
                map=mean_ap(results),
                per_class=dict(zip(dataset.classes, results, strict=True)),
            )
        )
    return Report(scores=scores, dataset=dataset, detections=table)
