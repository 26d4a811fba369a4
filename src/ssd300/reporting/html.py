"""Reports as HTML pages: each is one file that opens from disk and loads nothing from the web."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ssd300.system.files import write_text

LONGEST_SIDE_PX = 1200
JPEG_QUALITY = 88
LOWER_QUALITIES = (82, 65, 45, 25)  # of small images on a page that has many


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One row of the table of classes; `ap` is None for a class without objects that count."""

    name: str
    ap: float | None
    objects: int
    detections: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A plot as the bytes of a PNG, dark on white, with its alternative text; a `wide` one is as wide as the page."""

    alternative: str
    png: bytes
    wide: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Images under one heading, each with its caption, which may be empty.

    They lie side by side: as many as fit, larger and so fewer if `wide`, one alone if `full`.
    """

    title: str
    explanation: str
    images: Sequence[tuple[str, Image.Image]]
    wide: bool = False
    full: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of text under one heading, below the row `head`."""

    title: str
    explanation: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """The contents of a page. `notes` name what is missing, and why."""

    title: str
    subtitle: str
    headline: str
    headline_meaning: str
    facts_title: str
    notes: Sequence[str] = ()
    per_class: Sequence[ClassRow] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    galleries: Sequence[Gallery] = ()
    facts: Sequence[tuple[str, str]] = ()
    configuration: Sequence[tuple[str, str]] = ()


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
    return _address_of(_jpeg(small, JPEG_QUALITY))


def _small_jpeg_address(image: Image.Image, most_bytes: int) -> str:
    """A JPEG of the best quality with which it has no more than `most_bytes`, or of the lowest quality."""
    for quality in LOWER_QUALITIES:
        jpeg = _jpeg(image, quality)
        if len(jpeg) <= most_bytes:
            break
    return _address_of(jpeg)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def _address_of(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
