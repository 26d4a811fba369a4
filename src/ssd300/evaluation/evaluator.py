"""Evaluation: a detector and annotated images in, a Report out."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssd300.data.class_lists import are_numbered
from ssd300.data.dataset import Dataset, OnBadImage, fold
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.shards.index import ShardError
from ssd300.detection.backends import TorchPrecision
from ssd300.detection.contents import Content
from ssd300.detection.defaults import BATCH
from ssd300.detection.detector import Detector
from ssd300.errors import DataError, SSDError, WeightsError
from ssd300.evaluation.limits import Limits
from ssd300.evaluation.scoring import Metric, Report, score
from ssd300.evaluation.trained_on import trained_on_images
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.system.progress import Progress, shown, silent
from ssd300.system.stores import as_place
from ssd300.system.wording import some
from ssd300.types import Annotation, Detections, DetectionTable, Selection

CAFFE_TEST = Selection()


def evaluate(
    weights: str | Path,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    selection: Selection = CAFFE_TEST,
    on_bad_image: OnBadImage = "error",
    device: str = "auto",
    precision: TorchPrecision | None = None,
    verbose: bool = True,
) -> Report:
    """Detect on every image of `dataset` with the detector that `weights` names, and score the detections.

    The report counts the images that the weights were trained on. `device` is as for `Detector.load`. With `verbose`
    the progress is shown on stderr, or in the output of a notebook's cell.

    Raises:
        WeightsError: the weights cannot be read, or do not know a class that the data has objects of.
        DataError: an image cannot be read, and `on_bad_image` does not skip it; or none is left.
    """
    return evaluate_weights(
        weights,
        dataset,
        metrics=metrics,
        rules=rules,
        selection=selection,
        on_bad_image=on_bad_image,
        device=device,
        precision=precision,
        progress=shown if verbose else silent,
    )


def evaluate_weights(
    weights: str | Path,
    dataset: Dataset,
    *,
    device: str,
    precision: TorchPrecision | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Report:
    """As `evaluate`, silent unless `progress` shows it; `options` are those of `evaluate_detector`."""
    with progress("loading the weights"):
        detector = Detector.load(weights, device=device, precision=precision)
    report = evaluate_detector(detector, dataset, progress=progress, **options)
    trained_on = trained_on_images(weights, detector.card.source, dataset.fingerprint(), report.dataset.annotations)
    return replace(report, trained_on_images=trained_on, min_scores=dict(detector.card.min_scores))


def evaluate_detector(
    detector: Detector,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    selection: Selection = CAFFE_TEST,
    on_bad_image: OnBadImage = "error",
    progress: Progress = silent,
    what: str = "evaluating",
) -> Report:
    """As `evaluate`, with a detector that is loaded already. Its model is left in evaluation mode.

    `what` is what `progress` calls it.
    """
    known = with_classes_of(detector, dataset)
    with progress(what, len(known)) as task:
        found = detect_all(detector, known, selection, on_bad_image, advance=task.advance)
    return report_of(known, found, metrics=metrics, rules=rules, selection=selection)


def with_classes_of(detector: Detector, dataset: Dataset) -> Dataset:
    """The data, its objects numbered as the detector numbers them. Raises WeightsError for an unknown class."""
    try:
        return dataset.with_classes(detector.card.classes)
    except ValueError as error:
        raise WeightsError(
            f"the weights do not know all classes of the data: {error}",
            where=dataset.root,
            fix=_what_fits(detector.card.classes, dataset.classes),
        ) from error


def _what_fits(known: Sequence[str], classes: Sequence[str]) -> str:
    """What to take instead, if the weights do not know all classes of the data."""
    common = [name for name in classes if name in known]
    if not common and are_numbered(known):
        usual = "voc" if set(classes) <= set(VOC_CLASSES) else "FILE"
        return f"Its classes have numbers, not names: import the checkpoint again with `--classes {usual}`."
    if not common:
        return f"These weights are for other objects ({some(known)}): name weights that were trained on these classes."
    return (
        f"Take only the classes that they know, with `--only {shlex.join(common)}`, or weights that were trained "
        "on all of these."
    )


def renumbered(table: DetectionTable, old: Sequence[str], new: Sequence[str]) -> DetectionTable:
    """`table` with labels that are indices into `new` and not into `old`; rows of other classes are dropped."""
    if tuple(old) == tuple(new):
        return table
    known = {fold(name): label for label, name in enumerate(new)}
    numbers = np.array([known.get(fold(name), -1) for name in old], dtype=np.int64)
    labeled = replace(table, labels=numbers[table.labels])
    return labeled.select(labeled.labels >= 0)


class Found(NamedTuple):
    """Detections in original pixels; the images that they are numbered by; those that could not be read."""

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
    advance: Callable[[], None] = lambda: None,
) -> Found:
    """The detections in each image that can be read. No image gives no detections. `advance` is called at each image.

    Raises:
        DataError: an image cannot be read, and `on_bad_image` does not skip it.
        InterruptedEvaluationError: `interrupted` returned True; it is asked at each image.
    """
    found: list[Detections] = []
    readable: list[Annotation] = []
    skipped: list[str] = []
    images = map(_image, dataset.annotations)
    for number, outcome in detector.outcomes(images, selection, batch_size=BATCH):
        if interrupted():
            raise InterruptedEvaluationError
        advance()
        if isinstance(outcome, SSDError):
            if on_bad_image == "error" or isinstance(outcome, ShardError):
                raise outcome
            skipped.append(str(outcome))
        else:
            found.append(outcome.without_pixels())
            readable.append(dataset.annotations[number])
    return Found(_table(found), readable, tuple(skipped))


def _image(annotation: Annotation) -> Path | Content:
    if annotation.content is None:
        return annotation.image_path
    return Content(as_place(annotation.image_path), annotation.content)


def _table(found: Sequence[Detections]) -> DetectionTable:
    """The detections of consecutive images as one table, in float64."""
    return DetectionTable(
        image_index=np.repeat(np.arange(len(found)), [len(one) for one in found]),
        labels=np.concatenate([np.zeros(0, np.int64), *(one.labels for one in found)]),
        scores=np.concatenate([np.zeros(0), *(one.scores for one in found)]),
        boxes_px=np.concatenate([np.zeros((0, 4)), *(one.boxes for one in found)]),
    )


def join(pieces: Sequence[Found]) -> Found:
    """The detections in consecutive pieces of a dataset, as if it had been one."""
    firsts = np.cumsum([0] + [len(piece.readable) for piece in pieces[:-1]])
    tables = [piece.table for piece in pieces]
    table = DetectionTable(
        image_index=np.concatenate([table.image_index + first for table, first in zip(tables, firsts, strict=True)]),
        labels=np.concatenate([table.labels for table in tables]),
        scores=np.concatenate([table.scores for table in tables]),
        boxes_px=np.concatenate([table.boxes_px for table in tables]),
    )
    readable = [annotation for piece in pieces for annotation in piece.readable]
    return Found(table, readable, tuple(image for piece in pieces for image in piece.skipped))


def report_of(
    dataset: Dataset,
    found: Found,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    selection: Selection = CAFFE_TEST,
) -> Report:
    """The report of what `selection` left of `dataset`. Raises DataError if none of its images could be read."""
    if not found.readable:
        what = f"no image can be read; the first: {found.skipped[0]}" if found.skipped else "there are no images"
        raise DataError(what, where=dataset.root)
    scored = replace(dataset, annotations=found.readable) if found.skipped else dataset
    limits = Limits.of_weights(selection, found.table)
    report = score(scored, found.table, metrics=metrics, rules=rules, limits=limits)
    return replace(report, skipped=found.skipped)
