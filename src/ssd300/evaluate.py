"""Evaluation: a model, or stored predictions, and labelled pictures in; a Report out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ssd300.data.dataset import Dataset
from ssd300.data.loader import read_sample
from ssd300.detect import Detector
from ssd300.errors import WeightsError
from ssd300.metrics.voc import ClassResult, mean_ap, metric_name, voc_average_precision
from ssd300.model import SSD
from ssd300.model.postprocess import Selection
from ssd300.types import DetectionTable
from ssd300.weights import Card, load_weights

Thresholds = Literal["exact", "float64"]
Protocol = Literal["voc07", "voc12"]
IOU_THRESHOLD = 0.5
CAFFE_TEST = Selection()
BATCH = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """One metric over a data set. `map` is None when no class has a countable object."""

    metric: str
    map: float | None
    per_class: dict[str, ClassResult]
    images: int
    detections: DetectionTable

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "map": self.map,
            "per_class": {
                name: {"ap": result.ap, "objects": result.objects, "detections": result.detections}
                for name, result in self.per_class.items()
            },
            "images": self.images,
        }


def evaluate(
    model: SSD | str | Path,
    dataset: Dataset,
    *,
    card: Card | None = None,
    metric: Protocol = "voc07",
    voc07_thresholds: Thresholds = "exact",
    selection: Selection = CAFFE_TEST,
    device: torch.device | None = None,
    precision: torch.dtype = torch.float32,
) -> Report:
    """Detect on every picture of `dataset` and score the detections.

    Raises:
        WeightsError: the weights know other classes than the data.
        DataError: a picture cannot be read.
    """
    if not isinstance(model, SSD):
        model, card = load_weights(model)
    if card is None:
        raise ValueError("evaluate needs the card of a model that is given as a module")
    if tuple(card.classes) != tuple(dataset.classes):
        raise WeightsError(
            f"the weights know the classes {', '.join(card.classes)}; the data has {', '.join(dataset.classes)}",
            where=dataset.root,
            fix="Evaluate on data of the same classes, or give them with --classes.",
        )
    table = detect_all(Detector(model, card, device=device, precision=precision), dataset, selection)
    return score(dataset, table, metric=metric, voc07_thresholds=voc07_thresholds)


def detect_all(detector: Detector, dataset: Dataset, selection: Selection) -> DetectionTable:
    """What the detector finds in each picture of the data set, in original pixels."""
    images, labels, scores, boxes = [], [], [], []
    for first in range(0, len(dataset), BATCH):
        samples = [read_sample(annotation) for annotation in dataset.annotations[first : first + BATCH]]
        found = detector.detect([sample.image for sample in samples], selection)
        for offset, (sample, detections) in enumerate(zip(samples, found, strict=True)):
            placed = detections.scaled(sample.size_hw)
            images.append(np.full(len(placed), first + offset))
            labels.append(placed.labels)
            scores.append(placed.scores.astype(np.float64))
            boxes.append(placed.boxes.astype(np.float64))
    return DetectionTable(
        image_index=np.concatenate(images),
        labels=np.concatenate(labels),
        scores=np.concatenate(scores),
        boxes_px=np.concatenate(boxes),
    )


def score(
    dataset: Dataset, table: DetectionTable, *, metric: Protocol = "voc07", voc07_thresholds: Thresholds = "exact"
) -> Report:
    """The report of detections that are there already."""
    results: Sequence[ClassResult] = voc_average_precision(
        dataset.annotations,
        table,
        len(dataset.classes),
        protocol=metric,
        iou_threshold=IOU_THRESHOLD,
        voc07_thresholds=voc07_thresholds,
    )
    return Report(
        metric=metric_name(metric, IOU_THRESHOLD, voc07_thresholds),
        map=mean_ap(results),
        per_class=dict(zip(dataset.classes, results, strict=True)),
        images=len(dataset),
        detections=table,
    )
