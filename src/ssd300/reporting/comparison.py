"""A comparison of two detectors as rows of a table, as Markdown for a pull request, and as a page with images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ssd300.data.dataset import Dataset
from ssd300.evaluation.comparison import ChangedImage, Comparison, Difference
from ssd300.evaluation.resampling import CONFIDENCE
from ssd300.evaluation.shown import select_shown, thresholds_in_words
from ssd300.evaluation.stored import is_weights
from ssd300.metrics.error_kinds import find_errors
from ssd300.metrics.words import MAP_IN_ONE_SENTENCE, metric_in_words
from ssd300.reporting.error_images import COLOR_KEY, draw_errors
from ssd300.reporting.html import Gallery, Page, Plot, Table
from ssd300.reporting.montage import take_apart
from ssd300.reporting.next_steps import Step, steps_with_weights
from ssd300.reporting.plot_style import COLORS, DPI, INK, SOFT, TEXT, TITLE, WIDTH, figure_png, plain, short
from ssd300.types import DetectionTable

HEAD = ("class", "A", "B", "B - A", f"{CONFIDENCE:.0%} interval", "B leads in", "B is")
TILE_PX = 400  # three of them fit beside each other
HEADLINES = {"better": "Yes, better", "worse": "No, worse", "undecided": "Undecided"}
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
        headline=HEADLINES[result.overall.verdict],
        headline_meaning=_in_words(result),
        explanation="" if result.overall.difference is None else MAP_IN_ONE_SENTENCE,
        facts_title="The comparison",
        notes=[note] if unread else [],
        tables=[
            Table(
                title="By class",
                explanation=f"AP of A and of B, and their difference. The images were drawn {result.resamples:,} times "
                f"at random, with repeats: in {CONFIDENCE:.0%} of these draws the difference lies in the interval, and "
                "B leads A in the share that is given. B is better or worse if the whole interval is on one side of 0.",
                head=HEAD,
                rows=comparison_rows(result),
            )
        ],
        plots_title="The differences",
        plots=[Plot(alternative="difference and interval of each class", png=figure_png(plot_differences(result)))],
        galleries=[gallery] if gallery.images else [],
        facts=[
            ("data", f"{dataset.root}, {dataset.split}"),
            ("method", f"paired bootstrap over images, {result.resamples:,} resamples, seed {result.seed}"),
        ],
        steps=_steps(dataset, result, names),
    )


def _steps(dataset: Dataset, result: Comparison, names: tuple[str, str]) -> list[Step]:
    """With the weights that are ahead, B unless A is; none for stored predictions."""
    winner = names[0] if result.overall.verdict == "worse" else names[1]
    annotations = dataset.annotations
    return steps_with_weights(winner, annotations[0].image_path if annotations else None) if is_weights(winner) else []


def _in_words(result: Comparison) -> str:
    overall = result.overall
    if overall.difference is None:
        return "There is no mAP."
    return (
        f"A has {overall.a:.3f}, B {overall.b:.3f}: a difference of {overall.difference:+.3f}, which lies between "
        f"{overall.low:+.3f} and {overall.high:+.3f} with {CONFIDENCE:.0%} confidence. "
        f"{metric_in_words(result.metric)}, on {result.images:,} images."
    )


def _changed_images(
    dataset: Dataset, tables: Sequence[DetectionTable], result: Comparison
) -> tuple[Gallery, list[str]]:
    """The gallery of the images that changed most, and the ids of those that could not be read."""
    sides = {
        side: find_errors(dataset.annotations, select_shown(table, shown), len(dataset.classes))
        for side, table, shown in zip("AB", tables, result.shown, strict=True)
    }
    images, unread = draw_errors(dataset, [one.image_index for one in result.changed], sides, tile_px=TILE_PX)
    changes = [one for one in result.changed if one.image_id not in unread]
    tiles = [
        (f"{caption} ({_change_in_words(one)})" if caption.startswith("B: ") else caption, tile)
        for one, image in zip(changes, images, strict=True)
        for caption, tile in take_apart(image)
    ]
    gallery = Gallery(
        title="The images that changed most",
        explanation=f"By objects found minus false detections, {shown_in_words(result)}: {COLOR_KEY}.",
        images=tiles,
        columns=3,
        open=9,
    )
    return gallery, unread


def shown_in_words(result: Comparison) -> str:
    """Which detections of A and of B are shown and counted: 'with a confidence of 0.5 or more'."""
    of_a, of_b = map(thresholds_in_words, result.shown)
    return f"with {of_a}" if of_a == of_b else f"of A with {of_a}, of B with {of_b}"


def _change_in_words(one: ChangedImage) -> str:
    return f"B is {'better' if one.change > 0 else 'worse'} by {abs(one.change)}"


def plot_differences(result: Comparison) -> Figure:
    """B - A with its interval: mAP first, then the classes, from the largest gain to the largest loss."""
    known = {name: one for name, one in result.per_class.items() if one.difference is not None}
    classes = sorted(known.items(), key=lambda item: -(item[1].difference or 0.0))
    rows = [("mAP", result.overall), *classes] if result.overall.difference is not None else classes
    figure = Figure(figsize=(WIDTH, 0.9 + 0.27 * len(rows)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    plain(axes)
    axes.axvline(0, color=SOFT, linewidth=1)
    for place, (_, one) in enumerate(rows):
        color = VERDICT_COLORS[one.verdict]
        axes.plot((one.low or 0.0, one.high or 0.0), (place, place), color=color, linewidth=4 if place == 0 else 2)
        axes.plot(one.difference or 0.0, place, color=color, marker="o", markersize=5)
    axes.set_yticks(np.arange(len(rows)), [short(name) for name, _ in rows], color=INK)
    axes.margins(y=0.5 / max(len(rows), 1))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_title("B minus A", loc="left", color=INK, fontsize=TITLE, weight="bold")
    axes.set_xlabel(f"difference of AP, {CONFIDENCE:.0%} interval", color=SOFT, fontsize=TEXT)
    return figure


def _cells(one: Difference) -> tuple[str, ...]:
    if one.a is None or one.b is None or one.difference is None or one.low is None or one.high is None:
        return (*["-"] * 5, "no objects")
    return (
        f"{one.a:.4f}", f"{one.b:.4f}", f"{one.difference:+.4f}", f"{one.low:+.4f} to {one.high:+.4f}",
        f"{one.b_leads or 0:.1%}", one.verdict,
    )  # fmt: skip
