"""An evaluation as plots, images and one page: what the detector finds, and where it fails."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from ssd300 import run_layout
from ssd300.evaluation.error_analysis import ErrorAnalysis
from ssd300.evaluation.saving import store_evaluation
from ssd300.evaluation.scoring import Report
from ssd300.evaluation.shown import thresholds_in_words
from ssd300.evaluation.stored import is_weights
from ssd300.metrics.error_kinds import KINDS
from ssd300.metrics.words import MAP_IN_ONE_SENTENCE, metric_in_words
from ssd300.reporting.error_images import COLOR_KEY, draw_errors
from ssd300.reporting.error_words import MEANINGS, WORDS
from ssd300.reporting.evaluation_plots import (
    plot_confusion,
    plot_errors,
    plot_precision_recall,
    plot_reliability,
    plot_sizes,
)
from ssd300.reporting.html import ClassRow, Gallery, Page, Plot, Table, write_report
from ssd300.reporting.montage import take_apart
from ssd300.reporting.next_steps import Step, as_typed, command, steps_with_weights
from ssd300.reporting.plot_style import figure_png
from ssd300.system.files import whole_folder, write_json
from ssd300.system.wording import counted

PLOTS = {  # the alternative text of each plot
    "errors": "mAP gained if each kind of error is corrected",
    "sizes": "mAP and share of objects found, by object size",
    "reliability": "share of right detections over their confidence",
    "confusion": "confusion of classes and background",
    "precision_recall": "precision over recall of each class",
}
HELD_OUT_COUNTS = "the threshold with the best balance of found and false ones (best F1) on the held-out images"
STORED_COUNTS = "the threshold that is stored in the weights"


def write_evaluation(
    out: Path, report: Report, errors: ErrorAnalysis, *, source: str, command: str, overwrite: bool = False
) -> list[str]:
    """Write the folder of `ssd300 eval --out`: page, scores, errors, AP per class and detections.

    `source` names the weights or the stored predictions; `command` is shown on the page. Returns the notes of
    `store_evaluation`.

    Raises:
        UsageError: `out` is not empty, and `overwrite` is false.
        DataError: as `store_evaluation` does.
    """
    facts = [("detections of", source), ("command", as_typed(command)), ("ssd300", version("ssd300"))]
    with whole_folder(out, overwrite=overwrite) as folder:
        notes = store_evaluation(folder, report)
        write_json(folder / run_layout.SCORES, report.to_dict())
        write_json(folder / run_layout.ERRORS, errors.to_dict())
        page = evaluation_page(
            report, errors, title=f"Evaluation of {Path(source).name}", facts=facts, steps=_steps(source, report)
        )
        write_report(folder / run_layout.REPORT, page)
    return notes


def evaluation_page(
    report: Report, errors: ErrorAnalysis, *, title: str, facts: Sequence[tuple[str, str]], steps: Sequence[Step] = ()
) -> Page:
    """The page of an evaluation; `facts` are shown below those of the report."""
    images, unread = draw_errors(report.dataset, errors.worst, {"detections": errors.shown})
    figures, plain = evaluation_figures(report, errors), errors.to_dict()
    other_scores = [
        (metric_in_words(score.metric),
         f"{'–' if score.map is None else f'{score.map:.4f}'} ({report.limits.describe(score.metric)})")
        for score in report.scores[1:]
    ]  # fmt: skip
    halves = [half for image in images for half in take_apart(image)]
    return Page(
        title=title,
        subtitle=f"{report.dataset.root}, {report.dataset.split}",
        headline="–" if report.map is None else f"{report.map:.3f}",
        headline_meaning=f"{metric_in_words(report.metric)}, on {report.images:,} images; "
        f"{report.limits.describe(report.metric)}",
        explanation=MAP_IN_ONE_SENTENCE,
        facts_title="The evaluation",
        notes=_notes(report, unread),
        counts_from=counts_from(plain, STORED_COUNTS if report.min_scores else ""),
        per_class=class_rows(report.scores[0].to_dict()["per_class"], plain),
        tables=error_tables(plain),
        plots=[
            Plot(alternative=alternative, png=figure_png(figures[name]))
            for name, alternative in PLOTS.items()
            if name in figures
        ],
        galleries=[worst_gallery(halves, plain)] if images else [],
        facts=[("metric", report.metric), *other_scores, ("errors by", metric_in_words(errors.metric)), *facts],
        steps=steps,
    )


def _steps(source: str, report: Report) -> list[Step]:
    """With weights what can be done with them; with stored predictions a look at the labels."""
    root = report.dataset.root
    if is_weights(source):
        annotations = report.dataset.annotations
        return steps_with_weights(source, annotations[0].image_path if annotations else None)
    return [Step("Look for faults in the labels: they count as errors of the detector.",
                 command("check", root, "--html", "labels.html"))]  # fmt: skip


def _notes(report: Report, unread: Sequence[str]) -> list[str]:
    notes = [] if report.warning is None else [f"{report.warning[0].upper()}{report.warning[1:]}."]
    if report.skipped:
        notes.append(f"{counted(len(report.skipped), '{image|images} could not be read and {was|were} skipped')}.")
    absent = [name for name, result in report.per_class.items() if result.ap is None]
    if absent:
        notes.append(f"Excluded from the mean, as no object counts: {', '.join(absent)}.")
    if not len(report.detections):
        notes.append("There is not one detection.")
    if unread:
        notes.append(f"Among the images with most errors, these could not be read: {', '.join(unread)}.")
    return notes


def worst_gallery(images: Sequence[tuple[str, Image.Image]], errors: Mapping[str, Any]) -> Gallery:
    """The gallery of the images with most errors: labels and detections in turn; `errors` as for `error_tables`."""
    return Gallery(
        title="The images with most errors",
        explanation=f"Labels beside detections with {shown_in_words(errors)}: {COLOR_KEY}.",
        images=images,
        columns=2,
        open=6,
    )


def worst_images(report: Report, errors: ErrorAnalysis) -> list[Image.Image]:
    """Annotations beside detections of the images with most errors, without images that cannot be read."""
    return draw_errors(report.dataset, errors.worst, {"detections": errors.shown}).images


def evaluation_figures(report: Report, errors: ErrorAnalysis) -> dict[str, Figure]:
    """The plots by the names of PLOTS; without a detection there are no curves."""
    curves = {
        "reliability": plot_reliability(errors.reliability),
        "precision_recall": plot_precision_recall(report.per_class),
    }
    return {
        "errors": plot_errors(errors.kinds),
        "sizes": plot_sizes(errors.sizes),
        "confusion": plot_confusion(errors.confusion, report.dataset.classes),
        **(curves if len(report.detections) else {}),
    }


def class_rows(per_class: Mapping[str, Mapping[str, Any]], errors: Mapping[str, Any]) -> list[ClassRow]:
    """The rows of the table of classes: of the scores of `Score.to_dict`, and the counts of `ErrorAnalysis.to_dict`."""
    shown = errors.get("shown", {})  # runs of earlier versions do not have it
    return [
        ClassRow(
            name=name,
            ap=values["ap"],
            objects=values["objects"],
            **{key: shown[name][key] for key in ("found", "false", "min_score")} if name in shown else {},
        )
        for name, values in per_class.items()
    ]


def counts_from(errors: Mapping[str, Any], chosen_as: str) -> str:
    """What the table of classes counts; `chosen_as` says where its thresholds come from, if they were chosen."""
    if not errors.get("shown"):
        return ""
    why = f"for each class {chosen_as}" if chosen_as else "the same for all classes"
    return (
        "Found are the objects that a detection is right about; false are detections without such an object. Both "
        f"count detections from the confidence in the last column: {why}."
    )


def shown_in_words(errors: Mapping[str, Any]) -> str:
    """From which confidence detections are shown; `errors` is what `ErrorAnalysis.to_dict` returns, or empty."""
    thresholds = {name: shown["min_score"] for name, shown in errors.get("shown", {}).items()}
    if len(set(thresholds.values())) > 1:
        return "at least the confidence of their class in the table above"
    return thresholds_in_words(thresholds)


def error_tables(errors: Mapping[str, Any]) -> list[Table]:
    """The errors by kind, and by kind and class; `errors` is what `ErrorAnalysis.to_dict` returns."""
    total = {kind: sum(counts[kind] for counts in errors["per_class"].values()) for kind in KINDS}
    gains = {kind: errors["kinds"][kind]["gain"] for kind in KINDS}
    by_kind = Table(
        title="Where it fails",
        explanation=f"Counted among detections with {shown_in_words(errors)}. mAP gained is how much mAP would rise "
        "if all errors of the kind were corrected, at any confidence. An object with a loose box or a wrong "
        "class is not among the missed. The plot “What is taken for what” has all objects that are not found, and all "
        "false detections, each once.",
        head=("what is wrong", "how often", "mAP gained", "what it means"),
        rows=[
            (WORDS[kind], f"{total[kind]:,}", "–" if gains[kind] is None else f"{gains[kind]:+.3f}", MEANINGS[kind])
            for kind in KINDS
        ],
        words=True,
    )
    by_class = Table(
        title="Where it fails, by class",
        explanation="False detections are counted for the class that was detected, missed objects for their own.",
        head=("class", *(WORDS[kind] for kind in KINDS)),
        rows=[(name, *(f"{counts[kind]:,}" for kind in KINDS)) for name, counts in errors["per_class"].items()],
    )
    return [by_kind, by_class] if len(by_class.rows) > 1 else [by_kind]
