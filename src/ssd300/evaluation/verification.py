"""Can a run's mAP be reproduced? Its best weights are evaluated again and its stored detections are scored again."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from ssd300 import run_layout
from ssd300.data.dataset import Dataset, OnBadImage
from ssd300.data.image_digests import annotated_digests
from ssd300.data.predictions.read import read_predictions
from ssd300.errors import DataError, UsageError
from ssd300.evaluation.evaluator import evaluate_weights
from ssd300.evaluation.scoring import Metric, Report, score
from ssd300.evaluation.trained_on import known_digests
from ssd300.metrics.coco import NAME as COCO_NAME
from ssd300.metrics.voc_rules import NAMES, VocRules, metric_name
from ssd300.run_command import resume_command
from ssd300.system.progress import Progress, silent

STORED_TOLERANCE = 1e-9  # the same detections and the same arithmetic
WEIGHTS_TOLERANCE = 0.005  # another processor rounds differently, so two detections may change places


@dataclass(frozen=True, kw_only=True)
class Check:
    """The mAP computed again, `found`; it holds if it differs from the run's by no more than `tolerance`.

    Without an mAP `found` is None and `difference` is infinite.
    """

    what: str
    found: float | None
    tolerance: float
    difference: float
    holds: bool


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The run's `map` by its `metric`, and the checks of it. `left_out` counts images that are not measured, as the
    run was trained on them.
    """

    metric: str
    map: float
    checks: list[Check]
    left_out: int = 0

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def classes_of_run(run: Path) -> dict[str, Sequence[str]]:
    """The arguments of `load_dataset` with which it reads the classes of a run; none if the run does not store them."""
    try:
        data = _read(run / run_layout.DATA)
        classes, others = data["classes"], data.get("other_classes", [])  # none in older runs
    except (UsageError, KeyError):
        return {}
    return {"classes": [*classes, *others], "only": classes} if others else {"classes": classes}


def check_measured(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its summary, and what it says of its data. Raises UsageError if there is nothing to verify, as `verify` does."""
    if not run.is_dir():
        raise UsageError("this is not a run folder", where=run, fix="Name a folder that `ssd300 train` wrote.")
    summary, data = (_read(run / name) for name in (run_layout.SUMMARY, run_layout.DATA))
    if summary.get("map") is None or not data.get("validation"):
        raise UsageError(
            "the run has measured no mAP, so there is nothing to verify", where=run, fix="Use ssd300 eval."
        )
    if not (detections := run / run_layout.EVALUATION / run_layout.DETECTIONS_JSONL).is_file():
        raise UsageError(
            "the stored detections of the run are gone, so its mAP cannot be verified", where=detections,
            fix=f"`ssd300 eval DATA --weights {run}` measures the weights again.",
        )  # fmt: skip
    return summary, data


def verify(
    run: Path,
    dataset: Dataset,
    *,
    device: str = "auto",
    on_bad_image: OnBadImage = "error",
    progress: Progress = silent,
) -> Verification:
    """Compute the mAP of the run's summary again, from its stored detections and from its best weights.

    Raises:
        UsageError: there is no run, its files cannot be read, it was never evaluated, or its metric is unknown.
        DataError: the fingerprint of `dataset` is not that of the data that the run was evaluated on; the stored
            detections are damaged; or as `evaluate` does.
        WeightsError: the weights cannot be read.
    """
    summary, data = check_measured(run)
    known, held_out, given = data["validation"], dataset, len(dataset)
    if held_out.fingerprint() != known["fingerprint"]:
        held_out = _without_trained_on(run, data, dataset)
    if held_out.fingerprint() != known["fingerprint"]:
        raise DataError(
            f"this is other data than the run was evaluated on: {len(dataset)} images, fingerprint "
            f"{dataset.fingerprint()[:12]}…; "
            f"the run had {known['images']} of split '{known['split']}', {known['fingerprint'][:12]}…",
            where=dataset.root,
            fix="Name the data that the run held out, with the same --split and --on-bad-label. For a part that "
            f"--holdout set aside, `{shlex.join(['ssd300', 'verify', str(run)])}` tells the commands.",
        )
    metric = _metric(summary["metric"])
    evaluated = evaluate_weights(
        run, held_out, metrics=[metric], device=device, on_bad_image=on_bad_image, progress=progress
    )
    dataset = evaluated.dataset  # without the images that cannot be read, if they are skipped
    detections = run / run_layout.EVALUATION / run_layout.DETECTIONS_JSONL
    with progress("scoring the stored detections"):
        stored = read_predictions(detections, dataset.annotations, dataset.classes).table
        rescored = score(dataset, stored, metrics=[metric])
    return Verification(
        metric=summary["metric"],
        map=summary["map"],
        checks=[
            _check("the stored detections, scored again", rescored, summary, STORED_TOLERANCE),
            _check("the best weights, evaluated again", evaluated, summary, WEIGHTS_TOLERANCE),
        ],
        left_out=given - len(held_out),
    )


def _without_trained_on(run: Path, data: dict[str, Any], dataset: Dataset) -> Dataset:
    """Without the images that the run was trained on, which it left out of its held-out ones."""
    known = known_digests(run, data)
    if known is None or not dataset.in_memory:
        return dataset
    digests = annotated_digests(dataset.annotations)
    kept = [image for image, digest in zip(dataset.annotations, digests, strict=True) if digest not in known]
    return replace(dataset, annotations=kept)


def _check(what: str, report: Report, summary: dict[str, Any], tolerance: float) -> Check:
    found = report.map
    difference = float("inf") if found is None else abs(found - summary["map"])
    return Check(what=what, found=found, tolerance=tolerance, difference=difference, holds=difference <= tolerance)


def _metric(name: str) -> Metric:
    """The metric with this full name, by the development kit's rules. Raises UsageError if there is none."""
    for metric in get_args(Metric):
        if name == (metric_name(metric, VocRules()) if metric in NAMES else COCO_NAME):
            found: Metric = metric
            return found
    raise UsageError(f"the metric {name!r} is not known", fix="Verify with the version of ssd300 that made the run.")


def _read(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        command = resume_command(file.parent)
        fix = f"`{command}` writes it again." if command else "Name a folder that `ssd300 train` wrote."
        raise UsageError("the file of the run is not there", where=file, fix=fix) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the file of the run cannot be read ({error})", where=file, fix="Name a folder that `ssd300 train` wrote."
        ) from error
    return content
