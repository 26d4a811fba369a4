"""Curves and charts of a run, through matplotlib's objects: no pyplot, no global state, no window.

Drawn on white; the report turns them dark where the reader's screen is.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ssd300.files import write_atomically
from ssd300.metrics.voc import ClassResult
from ssd300.types import Annotation

INK, SOFT, GRID = "#1c2024", "#60656d", "#e6e8eb"
COLORS = ("#2f6fed", "#d9730d", "#0f9d76")
WIDTH, HEIGHT, DPI = 5.2, 3.1, 200  # small and fine, so that text can be read on a phone
MOST_PANELS = 24
MOST_COUNTED = 25  # classes; above, the confusion matrix is colour alone
MOST_BARS = 40

Row = Mapping[str, Any]


def save_figure(path: Path, figure: Figure) -> None:
    """As PNG, whole or not at all."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a class name in a script that the font lacks
        write_atomically(path, lambda temporary: FigureCanvasAgg(figure).print_png(str(temporary)))  # type: ignore[no-untyped-call]  # matplotlib's own


def plot_losses(rows: Sequence[Row]) -> Figure:
    """Both parts of the loss and their sum, of the logged steps."""
    figure, axes = _figure("Loss of the logged batches", "step")
    steps = [row["step"] for row in rows]
    parts = {name: np.array([row[name] for row in rows], float) for name in ("classification", "localization")}
    for (name, values), color in zip({"sum": sum(parts.values()), **parts}.items(), COLORS, strict=True):
        axes.plot(steps, values, color=color, label=name, linewidth=1.5, marker="o" if len(rows) == 1 else "")
    axes.set_ylim(bottom=0)
    _legend(axes)
    return figure


def plot_learning_rate(rows: Sequence[Row]) -> Figure:
    figure, axes = _figure("Learning rate of weights", "step")
    axes.plot([row["step"] for row in rows], [row["lr"] for row in rows], color=COLORS[0],
              marker="o" if len(rows) == 1 else "")  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    return figure


def plot_map(rows: Sequence[Row]) -> Figure:
    """Of every evaluation, also of the averaged weights where the run has them; the best has its value beside it."""
    figure, axes = _figure(f"mAP on the held-out pictures ({rows[0]['metric']})", "step")
    points = []
    for (key, name), color in zip((("map", "weights"), ("map_ema", "averaged weights")), COLORS, strict=False):
        known = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=color, marker="o", markersize=4, label=name)
        points += known
    if points:
        best = max(points, key=lambda point: point[1])  # the first of equals, as the run keeps it
        axes.annotate(f"{best[1]:.3f}", best, (0, 7), textcoords="offset points",
                      ha="center", color=INK, weight="bold")  # fmt: skip
    if any("map_ema" in row for row in rows):
        _legend(axes, "lower right")
    axes.set_ylim(0, 1.08)
    axes.set_xlim(left=0)
    axes.margins(x=0.08)
    return figure


def plot_precision_recall(results: Mapping[str, ClassResult]) -> Figure:
    """A small curve a class, where one has countable objects; of many classes, those with most objects."""
    known = {name: result for name, result in results.items() if result.ap is not None}
    shown = sorted(sorted(known, key=lambda name: -known[name].objects)[:MOST_PANELS], key=list(known).index)
    columns = min(4, max(len(shown), 1))
    lines = max(-(-len(shown) // columns), 1)
    figure = Figure(figsize=(WIDTH * (1.5 if columns > 2 else 1), 0.55 + 1.6 * lines), dpi=DPI, layout="constrained")
    left_out = f", the {len(shown)} classes with most objects" if len(shown) < len(known) else ""
    figure.suptitle(f"Precision over recall{left_out}", color=INK, fontsize=10, weight="bold")
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for axes, name in zip(grid.flat, shown, strict=False):
        _plain(axes)
        result = known[name]
        recall, precision = np.append(0.0, result.recall), np.append(result.precision[:1], result.precision)
        if len(result.recall):
            axes.plot(recall, precision, color=COLORS[0], linewidth=1.3)
            axes.fill_between(recall, precision, color=COLORS[0], alpha=0.12, linewidth=0)
        axes.set_title(f"{_text(name)}  {result.ap:.3f}", fontsize=8, color=INK)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.05)
        axes.set_xticks((0, 0.5, 1), ("0", "½", "1"))
        axes.set_yticks((0, 0.5, 1), ("0", "½", "1"))
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    return figure


def plot_confusion(
    counts: Int[np.ndarray, "k k"], classes: Sequence[str], *, min_score: float, iou_threshold: float
) -> Figure:
    """Colour is the share of the row; numbers are counts. The corner, no object and no detection, is empty."""
    names = [*map(_text, classes), "background"]
    side = max(WIDTH, 1.6 + 0.3 * len(names))
    figure = Figure(figsize=(side, side * 0.86), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, color=INK, rotation=90)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.tick_params(length=0, labelsize=9 if len(names) <= MOST_COUNTED else 5)
    axes.spines[:].set_visible(False)
    axes.axhline(len(classes) - 0.5, color=SOFT, linewidth=0.8)
    axes.axvline(len(classes) - 0.5, color=SOFT, linewidth=0.8)
    axes.set_xlabel("detected as (background: missed)", color=SOFT, fontsize=9)
    axes.set_ylabel("object (background: there is none)", color=SOFT, fontsize=9)
    axes.set_title(f"Confusion at scores from {min_score:g}, IoU from {iou_threshold:g}",
                   color=INK, fontsize=10, weight="bold")  # fmt: skip
    if len(classes) <= MOST_COUNTED:
        for row, column in zip(*np.nonzero(counts), strict=True):
            color = "white" if share[row, column] > 0.55 else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color,
                      fontsize=9 if len(names) < 10 else 6.5)  # fmt: skip
    return figure


def plot_label_statistics(annotations: Sequence[Annotation], classes: Sequence[str]) -> Figure:
    """Objects a class, objects a picture, and sizes of objects, in the training data."""
    labels = np.concatenate([np.zeros(0, np.int64), *(annotation.labels for annotation in annotations)])
    per_class = np.bincount(labels, minlength=len(classes))
    order = np.argsort(-per_class, kind="stable")[:MOST_BARS]
    bars = 0.5 + 0.2 * len(order)
    figure = Figure(figsize=(WIDTH * 1.5, bars + 2.2), dpi=DPI, layout="constrained")
    figure.suptitle("Labels of the training data", color=INK, fontsize=10, weight="bold")
    grid = figure.add_gridspec(2, 2, height_ratios=(bars, 1.9))
    axes = figure.add_subplot(grid[0, :])
    _plain(axes)
    axes.barh(range(len(order)), per_class[order], color=COLORS[0], height=0.72)
    axes.set_yticks(range(len(order)), [_text(classes[label]) for label in order], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    left_out = f", the {len(order)} most frequent" if len(order) < len(classes) else ""
    axes.set_title(f"objects a class{left_out}", fontsize=9, color=SOFT)
    for row, label in enumerate(order):
        axes.annotate(str(per_class[label]), (per_class[label], row), (3, 0), textcoords="offset points",
                      va="center", fontsize=8, color=SOFT)  # fmt: skip
    axes.margins(x=0.08)
    counts = np.bincount([len(annotation) for annotation in annotations])
    _bars(figure.add_subplot(grid[1, 0]), np.arange(len(counts)), counts, "pictures by number of objects")
    sides = _relative_sides(annotations)
    heights, edges = np.histogram(sides, bins=20, range=(0, 1))
    _bars(figure.add_subplot(grid[1, 1]), (edges[:-1] + edges[1:]) / 2, heights,
          "objects by side, as a share of the picture's", width=0.045)  # fmt: skip
    return figure


def _relative_sides(annotations: Sequence[Annotation]) -> Float[np.ndarray, " n"]:
    """The root of the share of the picture that each object covers, where the picture's size is known."""
    shares = [np.zeros(0)]
    for annotation in annotations:
        if annotation.size_hw is not None:
            width, height = (annotation.boxes_px[:, 2:] - annotation.boxes_px[:, :2]).T
            shares.append(np.sqrt(width * height / (annotation.size_hw[0] * annotation.size_hw[1])))
    return np.concatenate(shares)


def _bars(axes: Axes, x: np.ndarray, heights: np.ndarray, title: str, *, width: float = 0.8) -> None:
    _plain(axes)
    axes.bar(x, heights, width=width, color=COLORS[0])
    axes.grid(visible=False, axis="x")
    axes.set_title(title, fontsize=9, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=width >= 0.5))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _figure(title: str, x_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    _plain(axes)
    axes.set_title(title, loc="left", color=INK, fontsize=10, weight="bold")
    axes.set_xlabel(x_label, color=SOFT, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=8.5, length=0)


def _legend(axes: Axes, place: Literal["upper right", "lower right"] = "upper right") -> None:
    axes.legend(frameon=False, fontsize=8.5, labelcolor=INK, loc=place)


def _text(name: str) -> str:
    """A class name as matplotlib shows it: a dollar would begin a formula."""
    return name.replace("$", r"\$")
