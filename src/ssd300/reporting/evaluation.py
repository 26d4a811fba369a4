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
from ssd300.evaluation.scoring import SHOWN_SCORE, Report
from ssd300.metrics.confusion import IOU_THRESHOLD
from ssd300.metrics.error_kinds import BACKGROUND_IOU, KINDS
from ssd300.reporting.error_images import COLOR_KEY, draw_errors
from ssd300.reporting.evaluation_plots import (
    plot_confusion,
    plot_errors,
    plot_precision_recall,
    plot_reliability,
    plot_sizes,
)
from ssd300.reporting.html import ClassRow, Gallery, Page, Plot, Table, write_report
from ssd300.reporting.plot_style import figure_png
from ssd300.system.files import whole_folder, write_json

PLOTS = {  # the alternative text of each plot, and whether it is as wide as the page
    "errors": ("mAP gained if each kind of error is corrected", False),
    "sizes": ("mAP and share of objects found, by object size", False),
    "reliability": ("share of true detections over their score", False),
    "confusion": ("confusion of classes and background", False),
    "precision_recall": ("precision over recall of each class", True),
}
WORST_TITLE = "The images with most errors"
WORST_EXPLANATION = f"Annotations beside detections with a score of at least {SHOWN_SCORE:g}: {COLOR_KEY}."


def write_evaluation(
    out: Path, report: Report, errors: ErrorAnalysis, *, source: str, command: str, overwrite: bool = False
) -> None:
    """Write the folder of `ssd300 eval --out`: page, scores, errors, AP per class and detections.

    `source` names the weights or the stored predictions; `command` is shown on the page.

    Raises:
        UsageError: `out` is not empty, and `overwrite` is false.
        DataError: as `store_evaluation` does.
    """
    facts = [("detections of", source), ("command", command), ("ssd300", version("ssd300"))]
    with whole_folder(out, overwrite=overwrite) as folder:
        store_evaluation(folder, report)
        write_json(folder / run_layout.SCORES, report.to_dict())
        write_json(folder / run_layout.ERRORS, errors.to_dict())
        page = evaluation_page(report, errors, title=f"Evaluation of {Path(source).name}", facts=facts)
        write_report(folder / run_layout.REPORT, page)


def evaluation_page(report: Report, errors: ErrorAnalysis, *, title: str, facts: Sequence[tuple[str, str]]) -> Page:
    """The page of an evaluation; `facts` are shown below those of the report."""
    images, unread = draw_errors(report.dataset, errors.worst, {"detections": errors.shown})
    figures = evaluation_figures(report, errors)
    other_scores = [
        (score.metric, f"{'–' if score.map is None else f'{score.map:.4f}'} ({report.limits.describe(score.metric)})")
        for score in report.scores[1:]
    ]
    return Page(
        title=title,
        subtitle=f"{report.dataset.root}, {report.dataset.split}",
        headline="–" if report.map is None else f"{report.map:.3f}",
        headline_meaning=f"mAP ({report.metric}) on {report.images:,} images; {report.limits.describe(report.metric)}",
        facts_title="The evaluation",
        notes=_notes(report, unread),
        per_class=[
            ClassRow(name=name, ap=result.ap, objects=result.objects, detections=result.detections)
            for name, result in report.per_class.items()
        ],
        tables=[errors_table(errors.to_dict())],
        plots=[
            Plot(alternative=alternative, png=figure_png(figures[name]), wide=wide)
            for name, (alternative, wide) in PLOTS.items()
        ],
        galleries=[worst_gallery([("", image) for image in images])] if images else [],
        facts=[*other_scores, ("errors by", errors.metric), *facts],
    )


def _notes(report: Report, unread: Sequence[str]) -> list[str]:
    notes = [] if report.warning is None else [f"{report.warning[0].upper()}{report.warning[1:]}."]
    if report.skipped:
        notes.append(f"{len(report.skipped)} image(s) could not be read and were skipped.")
    absent = [name for name, result in report.per_class.items() if result.ap is None]
    if absent:
        notes.append(f"Excluded from the mean, as no object counts: {', '.join(absent)}.")
    if unread:
        notes.append(f"Among the images with most errors, these could not be read: {', '.join(unread)}.")
    return notes


def worst_gallery(images: Sequence[tuple[str, Image.Image]]) -> Gallery:
    """The gallery of the images with most errors, given with their captions."""
    return Gallery(title=WORST_TITLE, explanation=WORST_EXPLANATION, images=images, full=True)


def worst_images(report: Report, errors: ErrorAnalysis) -> list[Image.Image]:
    """Annotations beside detections of the images with most errors, without images that cannot be read."""
    return draw_errors(report.dataset, errors.worst, {"detections": errors.shown}).images


def evaluation_figures(report: Report, errors: ErrorAnalysis) -> dict[str, Figure]:
    """The plots by the names of PLOTS."""
    classes = report.dataset.classes
    return {
        "errors": plot_errors(errors.kinds),
        "sizes": plot_sizes(errors.sizes),
        "reliability": plot_reliability(errors.reliability),
        "confusion": plot_confusion(errors.confusion, classes, min_score=SHOWN_SCORE, iou_threshold=IOU_THRESHOLD),
        "precision_recall": plot_precision_recall(report.per_class),
    }


def errors_table(errors: Mapping[str, Any]) -> Table:
    """The number of errors of each kind per class; `errors` is what `ErrorAnalysis.to_dict` returns."""
    gains = [errors["kinds"][kind]["gain"] for kind in KINDS]
    total = {kind: sum(counts[kind] for counts in errors["per_class"].values()) for kind in KINDS}
    return Table(
        title="Where it fails",
        explanation=f"False detections with a score of at least {errors['shown_score']:g}, by their class, and missed "
        "objects. class: it overlaps an object of another class enough. location: it overlaps an object of its class, "
        f"with an IoU of {BACKGROUND_IOU:g} or more, but not enough. both: it overlaps an object of another class, but "
        "not enough. duplicate: another detection has the object already. background: none of these.",
        head=("class", *KINDS),
        rows=[
            *(
                (name, *(str(counts[kind]) for kind in KINDS))
                for name, counts in {**errors["per_class"], "all": total}.items()
            ),
            ("mAP gained if corrected", *("–" if gain is None else f"{gain:+.4f}" for gain in gains)),
        ],
    )
