"""The report of a run as one HTML file that opens from disk and takes nothing from the web."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image

from ssd300.files import write_text

WIDEST_PX = 900


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One line of the table; `ap` is None for a class without objects that count."""

    name: str
    ap: float | None
    objects: int
    detections: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Pictures with captions under one heading."""

    title: str
    explanation: str
    pictures: Sequence[tuple[str, Image.Image]]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunReport:
    title: str
    subtitle: str
    headline: str
    headline_meaning: str
    per_class: Sequence[ClassRow]
    galleries: Sequence[Gallery]
    facts: Sequence[tuple[str, str]]


def write_report(path: Path, report: RunReport) -> None:
    """Write the report; pictures go into it as they are, wide ones made smaller."""
    from jinja2 import Environment

    template = files("ssd300.reporting").joinpath("report.html.jinja").read_text(encoding="utf-8")
    galleries = [
        {
            "title": gallery.title,
            "explanation": gallery.explanation,
            "pictures": [(caption, _data_address(image)) for caption, image in gallery.pictures],
        }
        for gallery in report.galleries
    ]
    environment = Environment(autoescape=True, trim_blocks=True)
    write_text(path, environment.from_string(template).render(report=report, galleries=galleries))


def _data_address(image: Image.Image) -> str:
    small = image.convert("RGB")
    small.thumbnail((WIDEST_PX, WIDEST_PX))
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
