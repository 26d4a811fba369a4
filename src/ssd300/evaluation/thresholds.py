"""A confidence threshold per class: chosen on held-out images, and stored in the card of the weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ssd300.data.dataset import Dataset, OnBadImage
from ssd300.detection.detector import DISPLAY, Detector
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.evaluation.scoring import Report
from ssd300.metrics.operating_point import OperatingPoint, Wanted, operating_point
from ssd300.system.progress import Progress, silent
from ssd300.types import EVALUATION_MIN_SCORE, Selection
from ssd300.weights import Card, load_weights, save_weights

LARGER_SPLITS = {"train": ("trainval",), "val": ("trainval",)}  # of PASCAL VOC, by the split they contain


@dataclass(frozen=True, kw_only=True, eq=False)
class Thresholds:
    """An operating point per class, chosen for `wanted` on the images of `report`.

    A class without objects that count, or without detections, has None: detection uses its default threshold there.
    If `trained_on`, the weights were trained on these images: on others precision and recall will be lower.
    """

    wanted: Wanted
    points: Mapping[str, OperatingPoint | None] = field(repr=False)
    report: Report
    trained_on: bool

    @property
    def min_scores(self) -> dict[str, float]:
        """The threshold of each class that has a point."""
        return {name: point.min_score for name, point in self.points.items() if point is not None}

    @property
    def chosen_by(self) -> dict[str, Any]:
        """How and on which data they were chosen, as a card's source has it under "min_scores"."""
        return {
            "wanted": str(self.wanted),
            "data": f"{self.report.dataset.root.resolve().name}, {self.report.dataset.split}",
            "images": self.report.images,
            "fingerprint": self.report.dataset.fingerprint(),
        }

    def stored_in(self, card: Card) -> Card:
        """The card with these thresholds, and with how and on which data they were chosen."""
        return replace(card, min_scores=self.min_scores, source={**card.source, "min_scores": self.chosen_by})

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
    progress: Progress = silent,
) -> Thresholds:
    """Choose a point on the precision-recall curve of each class.

    `max_overlap` is the NMS IoU, by default that of `ssd300 detect`. Detections with a score above EVALUATION_MIN_SCORE
    count.

    Raises:
        WeightsError: `dataset` has objects of a class that the detector does not know.
        DataError: an image cannot be read, and `on_bad_image` does not skip it; or no image can be read.
    """
    selection = Selection(min_score=EVALUATION_MIN_SCORE, max_overlap=max_overlap)
    report = evaluate_detector(detector, dataset, selection=selection, on_bad_image=on_bad_image, progress=progress)
    trained_on = _trained_on(detector.card.source, report.dataset)
    return Thresholds(wanted=wanted, points=_points(report, wanted), report=report, trained_on=trained_on)


def best_f1(report: Report) -> Thresholds:
    """The thresholds of best F1 of an evaluation of held-out images, with the NMS IoU of that evaluation."""
    return Thresholds(wanted=Wanted(), points=_points(report, Wanted()), report=report, trained_on=False)


def _points(report: Report, wanted: Wanted) -> dict[str, OperatingPoint | None]:
    return {
        name: operating_point(result, wanted, curve_min_score=EVALUATION_MIN_SCORE)
        for name, result in report.per_class.items()
    }


def store_thresholds(weights: str | Path, target: Path, chosen: Thresholds) -> None:
    """Write `weights` with the chosen thresholds to the weights file `target`, which may be the same file.

    Raises:
        WeightsError: the weights cannot be read.
        RunError: the file cannot be written.
    """
    model, card = load_weights(weights)
    save_weights(target, model, chosen.stored_in(card))


def _trained_on(source: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether a card lists these images, or a split that contains them, as training data."""
    splits = (dataset.split, *LARGER_SPLITS.get(dataset.split, ()))
    names = [f"{dataset.root.resolve().name}, {split}" for split in splits]
    return source.get("fingerprint") == dataset.fingerprint() or source.get("data") in names
