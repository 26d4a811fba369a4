"""A comparison of two detectors as rows of a table, as Markdown for a pull request, and as a page with images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ssd300.data.dataset import Dataset
from ssd300.evaluation.comparison import CONFIDENCE, Comparison, Difference
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.metrics.error_kinds import find_errors
from ssd300.reporting.error_images import COLOR_KEY, draw_errors
from ssd300.reporting.html import Gallery, Page, Plot, Table
from ssd300.reporting.plot_style import COLORS, DPI, INK, SOFT, WIDTH, as_text, figure_png, plain
from ssd300.types import DetectionTable

HEAD = ("class", "A", "B", "B - A", f"{CONFIDENCE:.0%} interval", "B leads in", "B is")
TILE_PX = 400  # three of them fit beside each other
VERDICT_COLORS = {"better": COLORS[2], "worse": COLORS[1], "undecided": SOFT}


def comparison_rows(result: Comparison) -> list[tuple[str, ...]]:
    """A row per class, and one for mAP at the end; the columns are those of HEAD."""
    return [(name, *_cells(one)) for name, one in {**result.per_class, "mAP": result.overall}.items()]


def comparison_markdown(a: str, b: str, result: Comparison) -> str:
    """The verdict and the table as Markdown; `a` and `b` name the detectors."""
    lines = [
        f"B is **{result.overall.verdict}**: {result.metric} on {result.images} images, A `{a}`, B `{b}`.",
        "",
        *(f"| {' | '.join(row)} |" for row in (HEAD, ["---"] * len(HEAD), *comparison_rows(result))),
        "",
        f"Paired bootstrap over images, {result.resamples} resamples, seed {result.seed}.",
    ]
    return "\n".join(lines) + "\n"


def comparison_page(
    dataset: Dataset, tables: Sequence[DetectionTable], result: Comparison, *, names: tuple[str, str]
) -> Page:
    """The page of a comparison, with the images that changed most; `tables` and `names` are those of A and B."""
    gallery, unread = _changed_images(dataset, tables, result)
    note = f"Among the images that changed most, these could not be read: {', '.join(unread)}."
    return Page(
        title="Is B better than A?",
        subtitle=f"A: {names[0]}; B: {names[1]}",
        headline=result.overall.verdict,
        headline_meaning=_in_words(result),
        facts_title="The comparison",
        notes=[note] if unread else [],
        tables=[
            Table(
                title="By class",
                explanation="B leads in: the share of resamples in which B is ahead of A.",
                head=HEAD,
                rows=comparison_rows(result),
            )
        ],
        plots=[
            Plot(
                alternative="difference and interval of each class", png=figure_png(plot_differences(result)), wide=True
            )
        ],
        galleries=[gallery] if gallery.images else [],
        facts=[
            ("data", f"{dataset.root}, {dataset.split}"),
            ("method", f"paired bootstrap over images, {result.resamples:,} resamples, seed {result.seed}"),
        ],
    )


def _in_words(result: Comparison) -> str:
    overall = result.overall
    if overall.difference is None:
        return "There is no mAP."
    return (
        f"mAP ({result.metric}) on {result.images:,} images: A {overall.a:.4f}, B {overall.b:.4f}, "
        f"{overall.difference:+.4f}; {CONFIDENCE:.0%} interval {overall.low:+.4f} to {overall.high:+.4f}"
    )


def _changed_images(
    dataset: Dataset, tables: Sequence[DetectionTable], result: Comparison
) -> tuple[Gallery, list[str]]:
    """The gallery of the images that changed most, and the ids of those that could not be read."""
    sides = {
        side: find_errors(dataset.annotations, table.select(table.scores >= SHOWN_SCORE), len(dataset.classes))
        for side, table in zip("AB", tables, strict=True)
    }
    images, unread = draw_errors(dataset, [one.image_index for one in result.changed], sides, tile_px=TILE_PX)
    changes = [f"B {one.change:+d}" for one in result.changed if one.image_id not in unread]
    gallery = Gallery(
        title="The images that changed most",
        explanation=f"By objects found minus false detections, scores from {SHOWN_SCORE:g}; {COLOR_KEY}.",
        images=list(zip(changes, images, strict=True)),
        full=True,
    )
    return gallery, unread


def plot_differences(result: Comparison) -> Figure:
    """B - A with its interval: mAP first, then the classes, from the largest gain to the largest loss."""
    known = {name: one for name, one in result.per_class.items() if one.difference is not None}
    classes = sorted(known.items(), key=lambda item: -(item[1].difference or 0.0))
    rows = [("mAP", result.overall), *classes] if result.overall.difference is not None else classes
    figure = Figure(figsize=(WIDTH * 1.3, 0.9 + 0.27 * len(rows)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    plain(axes)
    axes.axvline(0, color=SOFT, linewidth=1)
    for place, (_, one) in enumerate(rows):
        color = VERDICT_COLORS[one.verdict]
        axes.plot((one.low or 0.0, one.high or 0.0), (place, place), color=color, linewidth=4 if place == 0 else 2)
        axes.plot(one.difference or 0.0, place, color=color, marker="o", markersize=5)
    axes.set_yticks(np.arange(len(rows)), [as_text(name) for name, _ in rows], color=INK)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_title("B minus A", loc="left", color=INK, fontsize=10, weight="bold")
    axes.set_xlabel(f"difference of AP and its {CONFIDENCE:.0%} interval", color=SOFT, fontsize=9)
    return figure


def _cells(one: Difference) -> tuple[str, ...]:
    if one.a is None or one.b is None or one.difference is None or one.low is None or one.high is None:
        return (*["-"] * 5, "no objects")
    return (
        f"{one.a:.4f}", f"{one.b:.4f}", f"{one.difference:+.4f}", f"{one.low:+.4f} to {one.high:+.4f}",
        f"{one.b_leads or 0:.1%}", one.verdict,
    )  # fmt: skip
