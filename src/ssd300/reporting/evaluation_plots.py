"""An evaluation as plots: precision over recall, confusion, kinds of error, object sizes, reliability of scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ssd300.evaluation.error_analysis import ErrorsOfKind, ScoreOfSize
from ssd300.metrics.reliability import MIN_SCORE, Bin, expected_calibration_error
from ssd300.metrics.voc import ClassResult
from ssd300.reporting.error_words import WORDS
from ssd300.reporting.plot_style import (
    COLORS,
    DPI,
    GRID,
    HEIGHT,
    INK,
    SMALL,
    SOFT,
    TEXT,
    TITLE,
    WIDTH,
    legend,
    new_figure,
    plain,
    short,
)

MOST_PANELS, PANEL_NAME = 12, 13  # panels, and letters of a name above one
ON_TWO_LINES = {"both": WORDS["both"].replace(", ", ",\n")}
MOST_COUNTED = 25  # classes of a confusion matrix: those that are confused most


def plot_precision_recall(results: Mapping[str, ClassResult]) -> Figure:
    """A small curve for each class that has an AP; of more than MOST_PANELS, those with most objects."""
    known = {name: result for name, result in results.items() if result.ap is not None}
    shown = sorted(sorted(known, key=lambda name: -known[name].objects)[:MOST_PANELS], key=list(known).index)
    columns = min(3, max(len(shown), 1))
    lines = max(-(-len(shown) // columns), 1)
    figure = Figure(figsize=(WIDTH, 0.55 + 1.75 * lines), dpi=DPI, layout="constrained")
    excluded = f",\n{len(shown)} classes with most objects" if len(shown) < len(known) else ""
    figure.suptitle(f"Precision over recall{excluded}", color=INK, fontsize=TITLE, weight="bold")
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for axes, name in zip(grid.flat, shown, strict=False):
        plain(axes)
        result = known[name]
        recall, precision = np.append(0.0, result.recall), np.append(result.precision[:1], result.precision)
        if len(result.recall):
            axes.plot(recall, precision, color=COLORS[0], linewidth=1.3)
            axes.fill_between(recall, precision, color=COLORS[0], alpha=0.12, linewidth=0)
        axes.set_title(f"{short(name, PANEL_NAME)}\nAP {result.ap:.3f}", fontsize=SMALL, color=INK)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.05)
        axes.set_xticks((0, 0.5, 1), ("0", "½", "1"))
        axes.set_yticks((0, 0.5, 1), ("0", "½", "1"))
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    return figure


def plot_confusion(counts: Int[np.ndarray, "k k"], classes: Sequence[str]) -> Figure:
    """The matrix that `confusion_matrix` returns: colors show the share of a row, numbers are counts.

    Of more than MOST_COUNTED classes it shows those with most errors; the rows lack what was taken for the others.
    """
    kept = _most_confused(counts)
    names, counts = [*(short(classes[label]) for label in kept), "nothing"], counts[np.ix_([*kept, -1], [*kept, -1])]
    excluded = f": the {len(kept)} classes with most errors" if len(kept) < len(classes) else ""
    side = max(WIDTH, 1.8 + 0.36 * len(names))
    figure = Figure(figsize=(side, side * 0.86), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, color=INK, rotation=90)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.tick_params(length=0, labelsize=SMALL)
    axes.spines[:].set_visible(False)
    axes.axhline(len(kept) - 0.5, color=SOFT, linewidth=0.8)
    axes.axvline(len(kept) - 0.5, color=SOFT, linewidth=0.8)
    axes.set_xlabel("detected as (nothing: no box fits)", color=SOFT, fontsize=TEXT)
    axes.set_ylabel("labeled as (nothing: no object fits)", color=SOFT, fontsize=TEXT)
    axes.set_title(f"What is taken for what{excluded}", loc="right",
                   color=INK, fontsize=TITLE, weight="bold")  # fmt: skip
    for row, column in zip(*np.nonzero(counts), strict=True):
        color = "white" if share[row, column] > 0.55 else INK
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color,
                  fontsize=SMALL)  # fmt: skip
    return figure


def _most_confused(counts: Int[np.ndarray, "k k"]) -> list[int]:
    """All classes, or of very many those with most counts off the diagonal, in their order."""
    off = counts - np.diag(np.diag(counts))
    wrong = (off.sum(axis=0) + off.sum(axis=1))[:-1]
    return sorted(np.argsort(-wrong, kind="stable")[:MOST_COUNTED].tolist())


def plot_errors(kinds: Mapping[str, ErrorsOfKind]) -> Figure:
    """A bar per kind of error: the mAP gained if all are corrected, and how many there are among shown detections."""
    figure, axes = new_figure(
        "What would help most?",
        "mAP gained if corrected (number of errors)",
    )
    gains = [kind.gain or 0.0 for kind in kinds.values()]
    rows = range(len(kinds))
    axes.barh(rows, gains, color=COLORS[0], height=0.66)
    axes.set_yticks(rows, [ON_TWO_LINES.get(kind, WORDS[kind]) for kind in kinds], color=INK)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set_xlim(0, max([*gains, 0.01]) * 1.45)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    for row, kind in zip(rows, kinds.values(), strict=True):
        gain = "no mAP" if kind.gain is None else f"{kind.gain:+.3f}"
        axes.annotate(f"{gain} ({kind.shown:,})", (kind.gain or 0.0, row), (4, 0), textcoords="offset points",
                      va="center", fontsize=SMALL, color=SOFT)  # fmt: skip
    return figure


def plot_sizes(sizes: Mapping[str, ScoreOfSize]) -> Figure:
    """For objects of each size, their mAP and the share that a shown detection finds."""
    figure, axes = new_figure("By size of the objects", "")
    places = np.arange(len(sizes))
    bars = (
        ("mAP", [size.map or 0.0 for size in sizes.values()], -0.19, COLORS[0]),
        ("share found", [size.found / max(size.objects, 1) for size in sizes.values()],
         0.19, COLORS[2]),
    )  # fmt: skip
    for name, heights, shift, color in bars:
        axes.bar(places + shift, heights, width=0.36, color=color, label=name)
        for place, height, size in zip(places, heights, sizes.values(), strict=True):
            if size.objects:
                axes.annotate(f"{height:.2f}", (place + shift, height), (0, 2), textcoords="offset points",
                              ha="center", fontsize=SMALL, color=SOFT)  # fmt: skip
    axes.set_xticks(places, [f"{name}\n{size.objects:,}\nobjects" for name, size in sizes.items()], color=INK)
    axes.grid(visible=False, axis="x")
    axes.set_ylim(0, 1.3)
    axes.set_yticks((0, 0.5, 1))
    legend(axes, "upper left", columns=2)
    return figure


def plot_reliability(bins: Sequence[Bin]) -> Figure:
    """The share of true detections over their mean score, for each bin of scores; below, the number of detections."""
    figure = Figure(figsize=(WIDTH, HEIGHT * 1.15), dpi=DPI, layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for part in (axes, below):
        plain(part)
    known = [one for one in bins if one.mean_score is not None]
    error = expected_calibration_error(bins)
    axes.plot((0, 1), (0, 1), color=GRID, linewidth=1.5)
    axes.plot([one.mean_score for one in known], [one.precision for one in known], color=COLORS[0], marker="o",
              markersize=4, linewidth=1.5)  # fmt: skip
    axes.set_ylim(0, 1.05)
    axes.set_xlim(0, 1)
    axes.set_yticks((0, 0.5, 1))
    axes.set_ylabel("share of right ones", color=SOFT, fontsize=TEXT)
    axes.set_title("Can the confidence be trusted?", loc="left", color=INK, fontsize=TITLE, weight="bold")
    if error is not None:
        axes.annotate(f"off by {error:.3f} on average,\nfrom confidence {MIN_SCORE:g}", (0.02, 0.98),
                      xycoords="axes fraction", va="top", fontsize=SMALL, color=SOFT)  # fmt: skip
    below.bar([(one.low + one.high) / 2 for one in bins], [one.detections for one in bins],
              width=0.9 / max(len(bins), 1), color=COLORS[0])  # fmt: skip
    below.set_yscale("symlog", linthresh=1)
    below.set_ylim(bottom=0)
    below.yaxis.set_minor_locator(NullLocator())
    below.yaxis.set_major_locator(FixedLocator([1, 100, 10_000, 1_000_000]))
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    below.grid(visible=False, axis="x")
    below.set_ylabel("detections", color=SOFT, fontsize=TEXT)
    below.set_xlabel("confidence", color=SOFT, fontsize=TEXT)
    return figure
