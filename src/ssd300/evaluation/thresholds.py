"""From which score on each class is to be believed: chosen on held-out images, kept in the weights' card."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ssd300.data.dataset import Dataset, OnBadImage
from ssd300.detection.detector import DISPLAY, Detector
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.evaluation.scoring import Report
from ssd300.metrics.operating_point import OperatingPoint, Wanted, operating_point
from ssd300.types import LEAST_SCORE, Selection
from ssd300.weights import Card

HELD_BY = {"train": ("trainval",), "val": ("trainval",)}  # splits of PASCAL VOC


@dataclass(frozen=True, kw_only=True, eq=False)
class Thresholds:
    """`points` has None for a class without objects that count or without detections: it keeps the usual score.

    `trained_on` says that the weights were trained on these images, so that all of it is too good.
    """

    wanted: Wanted
    points: Mapping[str, OperatingPoint | None]
    report: Report
    trained_on: bool

    def stored_in(self, card: Card) -> Card:
        """The card with these scores, and with what they were chosen by."""
        by = {
            "wanted": str(self.wanted),
            "data": f"{self.report.dataset.root.resolve().name}, {self.report.dataset.split}",
            "images": self.report.images,
            "fingerprint": self.report.dataset.fingerprint(),
        }
        scores = {name: point.min_score for name, point in self.points.items() if point is not None}
        return replace(card, min_scores=scores, source={**card.source, "min_scores": by})

    def to_dict(self) -> dict[str, Any]:
        return {
            "wanted": str(self.wanted),
            "images": self.report.images,
            "trained_on": self.trained_on,
            "classes": {
                name: None if point is None else {**vars(point), "f1": point.f1} for name, point in self.points.items()
            },
        }


def choose_thresholds(
    detector: Detector,
    dataset: Dataset,
    wanted: Wanted,
    *,
    max_overlap: float = DISPLAY.max_overlap,
    on_bad_image: OnBadImage = "error",
) -> Thresholds:
    """Detect on `dataset` as `ssd300 detect` does, at every score, and choose a point of each class's curve.

    Raises as `evaluate` does.
    """
    selection = Selection(min_score=LEAST_SCORE, max_overlap=max_overlap)
    report = evaluate_detector(detector, dataset, selection=selection, on_bad_image=on_bad_image)
    points = {
        name: operating_point(result, wanted, least_score=LEAST_SCORE) for name, result in report.per_class.items()
    }
    return Thresholds(
        wanted=wanted, points=points, report=report, trained_on=_trained_on(detector.card.source, report.dataset)
    )


def _trained_on(source: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether a card says that these images, or those of a split that holds them, were trained on."""
    holding = [f"{dataset.root.resolve().name}, {split}" for split in (dataset.split, *HELD_BY.get(dataset.split, ()))]
    return source.get("fingerprint") == dataset.fingerprint() or source.get("data") in holding
