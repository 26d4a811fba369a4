"""Curves of a training run, and statistics of its training data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from ssd300.reporting.plot_style import (
    COLORS,
    DPI,
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
from ssd300.types import Annotation

MOST_BARS = 40
FEW = 10  # points, which may lie where a legend is

Row = Mapping[str, Any]


def plot_losses(rows: Sequence[Row]) -> Figure:
    """The classification and localization loss and their sum, at the logged steps."""
    figure, axes = new_figure("Loss", "step")
    steps = [row["step"] for row in rows]
    parts = {name: np.array([row[name] for row in rows], float) for name in ("classification", "localization")}
    for (name, values), color in zip({"sum": sum(parts.values()), **parts}.items(), COLORS, strict=True):
        axes.plot(steps, values, color=color, label=name, linewidth=1.5, marker="o" if len(rows) == 1 else "")
    axes.set_ylim(bottom=0)
    legend(axes, "upper right" if len(rows) > FEW else "best")
    return figure


def plot_learning_rate(rows: Sequence[Row]) -> Figure:
    figure, axes = new_figure("Learning rate", "step")
    axes.plot([row["step"] for row in rows], [row["lr"] for row in rows], color=COLORS[0],
              marker="o" if len(rows) == 1 else "")  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    return figure


def plot_map(rows: Sequence[Row]) -> Figure:
    """The mAP of each evaluation, and of the averaged weights where the run has them; the best value is printed."""
    figure, axes = new_figure("mAP on the held-out images", "step")
    points = []
    for (key, name), color in zip((("map", "weights"), ("map_ema", "averaged weights")), COLORS, strict=False):
        known = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=color, marker="o", markersize=4, label=name)
        points += known
    if points:
        best = max(points, key=lambda point: point[1])  # the first of equals, as the run stores it
        axes.annotate(f"{best[1]:.3f}", best, (0, 7), textcoords="offset points",
                      ha="center", color=INK, weight="bold")  # fmt: skip
    if any("map_ema" in row for row in rows):
        legend(axes, "lower right")
    axes.set_ylim(0, 1.08)
    axes.set_xlim(left=0)
    axes.margins(x=0.08)
    return figure


def plot_label_statistics(annotations: Sequence[Annotation], classes: Sequence[str]) -> Figure:
    """Objects per class, objects per image, and sizes of objects, in the training data."""
    shown = min(len(classes), MOST_BARS)
    bars = 0.5 + 0.22 * shown
    figure = Figure(figsize=(WIDTH, bars + 4.2), dpi=DPI, layout=ConstrainedLayoutEngine(h_pad=0.1))
    figure.suptitle("Objects in the training data", color=INK, fontsize=TITLE, weight="bold")
    grid = figure.add_gridspec(3, 1, height_ratios=(bars, 1.6, 1.6))
    _class_bars(figure.add_subplot(grid[0]), annotations, classes)
    counts = np.bincount([len(annotation) for annotation in annotations])
    _bars(figure.add_subplot(grid[1]), np.arange(len(counts)), counts, "images by number of objects")
    sides = _relative_sides(annotations)
    heights, edges = np.histogram(sides, bins=20, range=(0, 1))
    _bars(figure.add_subplot(grid[2]), (edges[:-1] + edges[1:]) / 2, heights,
          "objects by size: side, as a share of the image's", width=0.045)  # fmt: skip
    return figure


def _class_bars(axes: Axes, annotations: Sequence[Annotation], classes: Sequence[str]) -> None:
    """Objects per class, of the MOST_BARS most frequent classes."""
    labels = np.concatenate([np.zeros(0, np.int64), *(annotation.labels for annotation in annotations)])
    per_class = np.bincount(labels, minlength=len(classes))
    order = np.argsort(-per_class, kind="stable")[:MOST_BARS]
    plain(axes)
    axes.barh(range(len(order)), per_class[order], color=COLORS[0], height=0.72)
    axes.set_yticks(range(len(order)), [short(classes[label]) for label in order], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    excluded = f", the {len(order)} most frequent" if len(order) < len(classes) else ""
    axes.set_title(f"objects per class{excluded}", fontsize=TEXT, color=SOFT)
    for row, label in enumerate(order):
        axes.annotate(f"{per_class[label]:,}", (per_class[label], row), (3, 0), textcoords="offset points",
                      va="center", fontsize=SMALL, color=SOFT)  # fmt: skip
    axes.margins(x=0.14)
    axes.set_xticks([])


def _relative_sides(annotations: Sequence[Annotation]) -> Float[np.ndarray, " n"]:
    """The square root of the share of its image that each object covers, in images whose size is known."""
    shares = [np.zeros(0)]
    for annotation in annotations:
        if annotation.size_hw is not None:
            width, height = (annotation.boxes_px[:, 2:] - annotation.boxes_px[:, :2]).T
            shares.append(np.sqrt(width * height / (annotation.size_hw[0] * annotation.size_hw[1])))
    return np.concatenate(shares)


def _bars(axes: Axes, x: np.ndarray, heights: np.ndarray, title: str, *, width: float = 0.8) -> None:
    plain(axes)
    axes.bar(x, heights, width=width, color=COLORS[0])
    axes.grid(visible=False, axis="x")
    axes.set_title(title, fontsize=TEXT, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=width >= 0.5))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
