"""A comparison of two detectors as a table, as Markdown for a pull request, and as a page with images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ssd300.data.dataset import Dataset
from ssd300.evaluation.comparison import CONFIDENCE, Comparison, Difference
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.metrics.error_kinds import find_errors
from ssd300.reporting.error_images import COLORS_SAID, draw_errors
from ssd300.reporting.html import Gallery, Page, Plot, Table
from ssd300.reporting.plot_style import COLORS, DPI, INK, SOFT, WIDTH, as_text, figure_png, plain
from ssd300.types import DetectionTable

HEAD = ("class", "A", "B", "B - A", f"{CONFIDENCE:.0%} interval", "B leads in", "B is")
TILE_PX = 400  # three beside each other
VERDICT_COLORS = {"better": COLORS[2], "worse": COLORS[1], "undecided": SOFT}


def comparison_rows(result: Comparison) -> list[tuple[str, ...]]:
    """A row a class and the mean last, under HEAD."""
    return [(name, *_cells(one)) for name, one in {**result.per_class, "mAP": result.overall}.items()]


def comparison_markdown(a: str, b: str, result: Comparison) -> str:
    """The table as Markdown, what it says first."""
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
    """The page of a comparison of two tables of detections, with the images that changed most."""
    sides = {
        side: find_errors(dataset.annotations, table.select(table.scores >= SHOWN_SCORE), len(dataset.classes))
        for side, table in zip("AB", tables, strict=True)
    }
    images, unread = draw_errors(dataset, [index for index, _ in result.changed], sides, tile_px=TILE_PX)
    notes = [f"Among the images that changed most, these are not here to be shown: {', '.join(unread)}."]
    overall = result.overall
    return Page(
        title="Is B better than A?",
        subtitle=f"A: {names[0]}; B: {names[1]}",
        headline=overall.verdict,
        headline_meaning="There is no mAP."
        if overall.difference is None
        else f"mAP ({result.metric}) on {result.images:,} images: A {overall.a:.4f}, B {overall.b:.4f}, "
        f"{overall.difference:+.4f}; {CONFIDENCE:.0%} interval {overall.low:+.4f} to {overall.high:+.4f}",
        facts_title="The comparison",
        notes=notes if unread else [],
        tables=[
            Table(
                title="By class",
                explanation="B leads in: the share of resamples in which it is ahead.",
                head=HEAD,
                rows=comparison_rows(result),
            )
        ],
        plots=[
            Plot(
                alternative="difference and interval of each class", png=figure_png(plot_differences(result)), wide=True
            )
        ],
        galleries=[
            Gallery(
                title="The images that changed most",
                explanation=f"By objects found less false detections, scores from {SHOWN_SCORE:g}; {COLORS_SAID}.",
                images=[
                    (f"B {change:+d}", image)
                    for (_, change), image in zip(
                        [one for one in result.changed if dataset.annotations[one[0]].image_id not in unread],
                        images,
                        strict=True,
                    )
                ],
                full=True,
            )
        ]
        if images
        else [],
        facts=[
            ("data", f"{dataset.root}, {dataset.split}"),
            ("method", f"paired bootstrap over images, {result.resamples:,} resamples, seed {result.seed}"),
        ],
    )


def plot_differences(result: Comparison) -> Figure:
    """B - A and its interval, the mean first, then the classes from the best to the worst."""
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
    axes.set_title("B less A", loc="left", color=INK, fontsize=10, weight="bold")
    axes.set_xlabel(f"difference of AP and its {CONFIDENCE:.0%} interval", color=SOFT, fontsize=9)
    return figure


def _cells(one: Difference) -> tuple[str, ...]:
    if one.a is None or one.b is None or one.difference is None or one.low is None or one.high is None:
        return (*["-"] * 5, "no objects")
    return (
        f"{one.a:.4f}", f"{one.b:.4f}", f"{one.difference:+.4f}", f"{one.low:+.4f} to {one.high:+.4f}",
        f"{one.b_leads or 0:.1%}", one.verdict,
    )  # fmt: skip
