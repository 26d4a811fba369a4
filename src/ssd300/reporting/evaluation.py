"""An evaluation as plots, images and one page: what is found, and where it fails."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from ssd300.evaluation.error_analysis import Failures
from ssd300.evaluation.scoring import SHOWN_SCORE, Report
from ssd300.metrics.confusion import IOU_THRESHOLD
from ssd300.metrics.error_kinds import BACKGROUND_IOU, KINDS
from ssd300.reporting.error_images import COLORS_SAID, draw_errors
from ssd300.reporting.evaluation_plots import (
    plot_confusion,
    plot_errors,
    plot_precision_recall,
    plot_reliability,
    plot_sizes,
)
from ssd300.reporting.html import ClassRow, Gallery, Page, Plot, Table
from ssd300.reporting.plot_style import figure_png

PLOTS = {  # what each shows, and whether it takes a whole line
    "errors": ("by how much mAP rises if each kind of error is mended", False),
    "sizes": ("mAP and share found by size of the object", False),
    "reliability": ("share of detections that is true over their score", False),
    "confusion": ("confusion of classes and background", False),
    "precision_recall": ("precision over recall of each class", True),
}
WORST_TITLE = "The images with most errors"
WORST_EXPLANATION = f"Labels beside detections with a score of at least {SHOWN_SCORE:g}: {COLORS_SAID}."


def evaluation_figures(report: Report, failures: Failures) -> dict[str, Figure]:
    """The plots by the names of PLOTS."""
    classes = report.dataset.classes
    return {
        "errors": plot_errors(failures.kinds),
        "sizes": plot_sizes(failures.sizes),
        "reliability": plot_reliability(failures.reliability),
        "confusion": plot_confusion(failures.confusion, classes, min_score=SHOWN_SCORE, iou_threshold=IOU_THRESHOLD),
        "precision_recall": plot_precision_recall(report.per_class),
    }


def errors_table(failures: Mapping[str, Any]) -> Table:
    """How often each kind of error is made in each class; `failures` as `Failures.to_dict` gives them."""
    gains = [failures["kinds"][kind]["gain"] for kind in KINDS]
    total = {kind: sum(counts[kind] for counts in failures["per_class"].values()) for kind in KINDS}
    return Table(
        title="Where it fails",
        explanation=f"Detections with a score of at least {failures['shown_score']:g} that are false, by their class; "
        "and objects that were missed. class: it overlaps an object of another class enough. location: one of its own "
        f"class, by {BACKGROUND_IOU:g} or more, but not enough. both: one of another class so. duplicate: an object "
        "that a better detection has. background: none.",
        head=("class", *KINDS),
        rows=[
            *(
                (name, *(str(counts[kind]) for kind in KINDS))
                for name, counts in {**failures["per_class"], "all": total}.items()
            ),
            ("mAP rises by, if mended", *("–" if gain is None else f"{gain:+.4f}" for gain in gains)),
        ],
    )


def worst_images(report: Report, failures: Failures) -> list[Image.Image]:
    """Labels beside detections of the images with most errors. What cannot be read is left out."""
    return draw_errors(report.dataset, failures.worst, {"detections": failures.shown}).images


def evaluation_page(report: Report, failures: Failures, *, title: str, facts: Sequence[tuple[str, str]]) -> Page:
    """The page of an evaluation by itself."""
    images, unread = draw_errors(report.dataset, failures.worst, {"detections": failures.shown})
    notes = [f"{len(report.skipped)} image(s) could not be read and were left out."] if report.skipped else []
    absent = [name for name, result in report.per_class.items() if result.ap is None]
    if absent:
        notes.append(f"Left out of the mean, as no object counts: {', '.join(absent)}.")
    if unread:
        notes.append(f"Among the images with most errors, these are not here to be shown: {', '.join(unread)}.")
    figures = evaluation_figures(report, failures)
    others = [(score.metric, "–" if score.map is None else f"{score.map:.4f}") for score in report.scores[1:]]
    return Page(
        title=title,
        subtitle=f"{report.dataset.root}, {report.dataset.split}",
        headline="–" if report.map is None else f"{report.map:.3f}",
        headline_meaning=f"mAP ({report.metric}) on {report.images:,} images",
        facts_title="The evaluation",
        notes=notes,
        per_class=[
            ClassRow(name=name, ap=result.ap, objects=result.objects, detections=result.detections)
            for name, result in report.per_class.items()
        ],
        tables=[errors_table(failures.to_dict())],
        plots=[
            Plot(alternative=alternative, png=figure_png(figures[name]), wide=wide)
            for name, (alternative, wide) in PLOTS.items()
        ],
        galleries=[
            Gallery(
                title=WORST_TITLE,
                explanation=WORST_EXPLANATION,
                images=[("", image) for image in images],
                full=True,
            )
        ]
        if images
        else [],
        facts=[*others, ("errors by", failures.metric), *facts],
    )
