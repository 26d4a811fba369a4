"""Stored predictions: told apart from weights, and scored like the detections of a model that runs now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ssd300 import run_layout
from ssd300.data.dataset import Dataset
from ssd300.data.formats.coco_files import coco_files
from ssd300.data.predictions.origin import UNKNOWN, ImagesOfSplits, Origin, no_images
from ssd300.data.predictions.parts import Parts, find_parts
from ssd300.data.predictions.read import StoredPredictions, read_predictions
from ssd300.data.predictions.rows import OnBadPrediction, PredictionRows
from ssd300.detection.backends import is_exported
from ssd300.errors import DataError
from ssd300.evaluation.evaluator import evaluate_weights, renumbered
from ssd300.evaluation.in_blocks import COCO_BYTES, SMALL, VOC_BYTES, Cut, evaluate_parts, fits
from ssd300.evaluation.limits import Limits
from ssd300.evaluation.scoring import Metric, Report, score
from ssd300.evaluation.stored_job import StoredJob, find_job
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.system.progress import Progress, silent
from ssd300.types import DetectionTable


class DetectionsOfOne(NamedTuple):
    """The detections of one detector, what they were limited by, and notes about them to be printed.

    `min_scores` are the confidence thresholds that weights hold, by class name.
    """

    table: DetectionTable
    limits: Limits
    notes: tuple[str, ...]
    min_scores: Mapping[str, float]


def is_weights(source: str) -> bool:
    """Whether `source` names weights and not stored predictions.

    Weights are a run folder with its best weights, a weights file, an exported file, or anything that is not on disk:
    it may be a name of published weights.
    """
    path = Path(source)
    if path.is_dir():
        return (path / run_layout.BEST_WEIGHTS).is_file()
    return path.suffix == ".safetensors" or is_exported(path) or not path.exists()


def evaluate_stored(
    predictions: Path | str,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    min_score: float | None = None,
    top_k: int | None = None,
    ids_of: Path | None = None,
    on_bad: OnBadPrediction = "error",
    hold: bool = True,
    other_splits: ImagesOfSplits = no_images,
    progress: Progress = silent,
) -> Report:
    """Score predictions that were stored for `dataset`, at a path or, as a text, at an address of fsspec.

    Of these, only those with a score above `min_score` count, and only the best `top_k` of each image; None keeps all.
    `ids_of` is as for `read_predictions`; if it is None and `dataset` was read from COCO annotations, it is their file.

    Our own lines and Parquet are scored in blocks if the table of all detections is too large: with `hold` (which
    reports on single detections need) for its share of the free memory, without it for a small one. A note says so, and
    the report does not hold the detections.

    Rows of images that `other_splits` has are left out, and counted in a note. So is what a job lacks that is not
    finished, if `on_bad` skips.

    Raises:
        DataError: as `read_predictions` does; or the predictions are a job that is not finished, or lacks rows.
        ValueError, UsageError: as `score` does.
    """
    job = find_job(predictions)
    warnings = [] if job is None else _as_notes(job.fault(), on_bad)
    origin = Origin(other_splits=other_splits)
    origin = origin if job is None else job.origin(origin)
    cut = Cut(min_score, top_k)
    parts = find_parts(predictions) if isinstance(predictions, str) or predictions.exists() else None
    if parts is not None and _is_for_blocks(parts, metrics, hold=hold):
        rows = PredictionRows(dataset.annotations, dataset.classes, on_bad, origin)
        report = evaluate_parts(parts, dataset, rows, metrics=metrics, rules=rules, cut=cut, progress=progress)
        warnings += _lacking_rows(job, rows.read, on_bad)
        return replace(report, notes=(*warnings, *report.notes))
    stored = _read(predictions, dataset, ids_of, on_bad, progress, origin)
    warnings += _lacking_rows(job, stored.rows, on_bad)
    limits = Limits.of_stored(stored.table, min_score=min_score, top_k=top_k)
    with progress("scoring"):
        report = score(dataset, cut.of(stored.table), metrics=metrics, rules=rules, limits=limits)
    return replace(report, notes=(*warnings, *stored.notes))


def _lacking_rows(job: StoredJob | None, rows: int, on_bad: OnBadPrediction) -> list[str]:
    return [] if job is None else _as_notes(job.lacks_rows(rows), on_bad)


def _as_notes(fault: DataError | None, on_bad: OnBadPrediction) -> list[str]:
    """A fault as a note if `on_bad` skips. Raises it otherwise."""
    if fault is not None and on_bad == "error":
        raise fault
    return [] if fault is None else [f"SCORED ALL THE SAME, though {fault.what} ({fault.where})"]


def _is_for_blocks(parts: Parts, metrics: Sequence[Metric], *, hold: bool) -> bool:
    """Whether the detections of `parts` are too many to be held."""
    if not metrics or parts.most_detections <= SMALL:
        return False
    return not hold or not fits(parts.most_detections, COCO_BYTES if "coco" in metrics else VOC_BYTES)


def detections_of(
    source: str, dataset: Dataset, *, ids_of: Path | None = None, device: str = "auto", progress: Progress = silent
) -> DetectionsOfOne:
    """The detections of `source`, weights or stored predictions, on `dataset` and with its classes.

    Detections of classes that `dataset` does not have are dropped: they would not be scored.

    Raises as `evaluate` or `read_predictions` does.
    """
    if not is_weights(source):
        stored = _read(Path(source), dataset, ids_of, "error", progress)
        return DetectionsOfOne(stored.table, Limits.of_stored(stored.table), stored.notes, {})
    report = evaluate_weights(source, dataset, device=device, progress=progress)
    table = renumbered(report.detections, report.dataset.classes, dataset.classes)
    notes = () if report.warning is None else (report.warning,)
    return DetectionsOfOne(table, report.limits, notes, report.min_scores)


def _read(
    path: Path | str,
    dataset: Dataset,
    ids_of: Path | None,
    on_bad: OnBadPrediction,
    progress: Progress,
    origin: Origin = UNKNOWN,
) -> StoredPredictions:
    known = coco_files(dataset.root).get(dataset.split) if ids_of is None else ids_of
    with progress("reading the predictions"):
        return read_predictions(path, dataset.annotations, dataset.classes, ids_of=known, on_bad=on_bad, origin=origin)
