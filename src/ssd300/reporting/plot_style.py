"""The style of all plots. It uses matplotlib's objects without pyplot: no global state, no window.

Plots have a white background; the page inverts their colors for readers with a dark color scheme.
"""

import io
import warnings
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ssd300.system.files import write_atomically

INK, SOFT, GRID = "#1c2024", "#60656d", "#e6e8eb"
COLORS = ("#2f6fed", "#d9730d", "#0f9d76")
WIDTH, HEIGHT, DPI = 4.4, 2.8, 220  # inches; a phone shows this width in about 350 pixels
READABLE = 75  # pixels of a page per inch of a plot from which its smallest letters can be read
LONGEST_NAME = 18  # letters
TITLE, TEXT, SMALL = 11.0, 10.0, 9.0  # points; SMALL is the smallest


def figure_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a class name in a script that the font lacks
        FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]  # matplotlib's own
    return buffer.getvalue()


def save_figure(path: Path, figure: Figure) -> None:
    """Write the figure as PNG, whole or not at all. Raises RunError as `write_atomically` does."""
    png = figure_png(figure)
    write_atomically(path, lambda temporary: _write(temporary, png))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def new_figure(title: str, x_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    plain(axes)
    axes.set_title(title, loc="left", color=INK, fontsize=TITLE, weight="bold")
    axes.set_xlabel(x_label, color=SOFT, fontsize=TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return figure, axes


def plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=SMALL, length=0)


def legend(
    axes: Axes, place: Literal["upper right", "lower right", "upper left", "best"] = "upper right", *, columns: int = 1
) -> None:
    axes.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc=place, ncols=columns)


def as_text(name: str) -> str:
    """A class name so that matplotlib shows it unchanged: a plain dollar sign would begin a formula."""
    return name.replace("$", r"\$")


def short(name: str, most: int = LONGEST_NAME) -> str:
    """A class name with at most `most` letters, as matplotlib shows it unchanged: a long one would leave no plot."""
    return as_text(name if len(name) <= most else f"{name[: most - 1]}…")
