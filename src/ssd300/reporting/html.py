"""Reports as HTML pages: each is one file that opens from disk and loads nothing from the web."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ssd300.images.colors import class_colors
from ssd300.images.encode import encoded
from ssd300.reporting.next_steps import Step
from ssd300.reporting.plot_style import DPI, READABLE, WIDTH
from ssd300.system.files import write_text

MOST_ROWS, WEAKEST = 20, 10  # of a table that is shown whole, and of the part of a longer one
LONGEST_SIDE_PX = 1200
JPEG_QUALITY = 88
LOWER_QUALITIES = (82, 65, 45, 25)  # of small images on a page that has many


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One row of the table of classes; `ap` is None for a class without objects that count.

    `found` objects and `false` detections are those from the confidence `min_score`; None if they are not known.
    """

    name: str
    ap: float | None
    objects: int
    found: int | None = None
    false: int | None = None
    min_score: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A plot as the bytes of a PNG, dark on white, with its alternative text."""

    alternative: str
    png: bytes

    @property
    def is_wide(self) -> bool:
        """Whether it is too large for a phone, where it scrolls."""
        return self.least_width_px > 1.25 * WIDTH * READABLE

    @property
    def least_width_px(self) -> int:
        """The width on the page below which its letters cannot be read."""
        return round(int.from_bytes(self.png[16:20], "big") * READABLE / DPI)  # PNG's header holds its width


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Images under one heading, each with its caption, which may be empty.

    `columns` of them lie side by side, or as many as fit; on a phone `narrow_columns`. Those after the first `open`
    are folded. A `late` gallery comes after the tables.
    """

    title: str
    explanation: str
    images: Sequence[tuple[str, Image.Image]]
    columns: int | None = None
    narrow_columns: int = 1
    open: int = 12
    late: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of text under one heading, below the row `head`.

    With more than `open` rows they are folded. A table in `words` has text in its last column.
    """

    title: str
    explanation: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    open: int = MOST_ROWS
    words: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """The contents of a page. `notes` name what is missing, and why; `steps` are what comes next.

    `headline` may be empty. `explanation` is a sentence for readers who do not know the headline's number;
    `counts_from` says which detections `per_class` counts.
    """

    title: str
    subtitle: str
    headline: str
    headline_meaning: str
    facts_title: str
    explanation: str = ""
    notes: Sequence[str] = ()
    counts_from: str = ""
    per_class: Sequence[ClassRow] = ()
    tables: Sequence[Table] = ()
    plots_title: str = "Curves and counts"
    plots: Sequence[Plot] = ()
    galleries: Sequence[Gallery] = ()
    facts: Sequence[tuple[str, str]] = ()
    configuration: Sequence[tuple[str, str]] = ()
    steps: Sequence[Step] = ()

    @property
    def colors(self) -> dict[str, str]:
        """The color of each class of `per_class`, as in images, for CSS."""
        colors = class_colors([row.name for row in self.per_class])
        return {name: "rgb({}, {}, {})".format(*color) for name, color in colors.items()}

    @property
    def weakest(self) -> list[ClassRow]:
        """Of very many classes those with the lowest AP, else none."""
        known = sorted((row for row in self.per_class if row.ap is not None), key=lambda row: row.ap or 0)
        return known[:WEAKEST] if len(self.per_class) > MOST_ROWS else []


def write_report(path: Path, report: Page) -> None:
    """Write the page to `path`. Its images become JPEGs, smaller if a side is longer than LONGEST_SIDE_PX."""
    write_page(path, "report.html.jinja", title=report.title, report=report)


def write_page(path: Path, template: str, *, title: str, **values: Any) -> None:
    """Fill one of the templates of this folder with `title` and `values`, and write it to `path`."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("ssd300", "reporting"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "png_address": _png_address,
        "jpeg_address": _jpeg_address,
        "small_jpeg_address": _small_jpeg_address,
    }
    write_text(path, environment.get_template(template).render(title=title, **values))


def _png_address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _jpeg_address(image: Image.Image) -> str:
    small = image.convert("RGB")
    small.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    return _address_of(encoded(small, "JPEG", quality=JPEG_QUALITY))


def _small_jpeg_address(image: Image.Image, most_bytes: int) -> str:
    """A JPEG of the best quality with which it has no more than `most_bytes`, or of the lowest quality."""
    for quality in LOWER_QUALITIES:
        jpeg = encoded(image, "JPEG", quality=quality)
        if len(jpeg) <= most_bytes:
            break
    return _address_of(jpeg)


def _address_of(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
