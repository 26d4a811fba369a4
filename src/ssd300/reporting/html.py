"""Reports as one HTML file each, which opens from disk and takes nothing from the web."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ssd300.system.files import write_text

WIDEST_PX = 1200
JPEG_QUALITY = 88


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One line of the table; `ap` is None for a class without objects that count."""

    name: str
    ap: float | None
    objects: int
    detections: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A chart as the bytes of a PNG, dark on white; `wide` ones take a whole line."""

    alternative: str
    png: bytes
    wide: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Images with captions, which may be empty, under one heading; `wide` ones stand in pairs, `full` ones alone."""

    title: str
    explanation: str
    images: Sequence[tuple[str, Image.Image]]
    wide: bool = False
    full: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of words under one heading; the first column is the widest."""

    title: str
    explanation: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """What the page says, from top to bottom. `notes` are what is missing, and why."""

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
    """Write the report; images go into it as they are, wide ones made smaller."""
    write_page(path, "report.html.jinja", title=report.title, report=report)


def write_page(path: Path, template: str, *, title: str, **values: Any) -> None:
    """Write a page of this folder's templates, in the style that all share."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("ssd300", "reporting"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"png_address": _png_address, "jpeg_address": _jpeg_address}
    write_text(path, environment.get_template(template).render(title=title, **values))


def _png_address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _jpeg_address(image: Image.Image) -> str:
    small = image.convert("RGB")
    small.thumbnail((WIDEST_PX, WIDEST_PX))
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
