"""A review of labels by weights: detect on every image, then compare."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ssd300.data.dataset import Dataset, OnBadImage, fold
from ssd300.detection.detector import Detector
from ssd300.errors import DataError
from ssd300.evaluation.disagreement import ReviewRules
from ssd300.evaluation.evaluator import CAFFE_TEST, detect_all, renumbered, with_classes_of
from ssd300.evaluation.label_review import Review, review
from ssd300.evaluation.trained_on import trained_on_images
from ssd300.system.progress import Progress, silent


class WeightsReview(NamedTuple):
    """The review, the images that could not be read, and how many of the others the weights were trained on.

    The last is None where that is not known.
    """

    review: Review
    skipped: tuple[str, ...]
    trained_on_images: int | None


def review_labels(
    weights: str | Path,
    dataset: Dataset,
    *,
    min_scores: Mapping[str, float] | None = None,
    rules: ReviewRules = ReviewRules(),  # frozen
    on_bad_image: OnBadImage = "error",
    device: str = "auto",
    progress: Progress = silent,
) -> WeightsReview:
    """Where the labels of `dataset` and the detections of `weights` disagree.

    Detections of classes that the data does not have are left out, as they have no labels. `min_scores` are confidence
    thresholds by class name of the data, in place of those that the weights hold.

    Raises:
        WeightsError: the weights cannot be read, or do not know a class that the data has objects of.
        DataError: an image cannot be read, and `on_bad_image` does not skip it; or none is left.
    """
    with progress("loading the weights"):
        detector = Detector.load(weights, device=device)
    known = with_classes_of(detector, dataset)
    with progress("detecting", len(known)) as task:
        found = detect_all(detector, known, CAFFE_TEST, on_bad_image, advance=task.advance)
    if not found.readable:
        raise DataError("no image can be read", where=dataset.root, fix="`ssd300 check` says what is wrong with them.")
    read = {id(annotation) for annotation in found.readable}
    pairs = zip(dataset.annotations, known.annotations, strict=True)
    readable = replace(dataset, annotations=[one for one, same in pairs if id(same) in read])
    table = renumbered(found.table, known.classes, dataset.classes)
    thresholds = held_min_scores(detector.card.min_scores, dataset.classes) | dict(min_scores or {})
    trained_on = trained_on_images(weights, detector.card.source, dataset.fingerprint(), found.readable)
    return WeightsReview(review(readable, table, min_scores=thresholds, rules=rules), found.skipped, trained_on)


def held_min_scores(held: Mapping[str, float], classes: Sequence[str]) -> dict[str, float]:
    """The confidence thresholds that weights hold, by the names that the data has for the same classes."""
    by_fold = {fold(name): score for name, score in held.items()}
    return {name: by_fold[fold(name)] for name in classes if fold(name) in by_fold}
