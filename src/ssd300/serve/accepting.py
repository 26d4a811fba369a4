"""Which form of an answer a request's `Accept` asks for (RFC 9110, section 12.5.1)."""

from typing import Literal

JSON, XML = "application/json", "application/xml"
ImageFormat = Literal["jpeg", "png"]
IMAGES: dict[str, ImageFormat] = {"image/jpeg": "jpeg", "image/png": "png"}
OFFERED = (JSON, *IMAGES, XML)  # the first one that is as welcome as any other is taken


def choose_form(accept: str) -> str | None:
    """One of `OFFERED`; None where none of them is accepted."""
    wanted = [_parsed(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    weights = {form: _weight(form, wanted) for form in OFFERED}
    best = max(OFFERED, key=lambda form: weights[form])
    return best if weights[best] > 0 else None


def _parsed(part: str) -> tuple[str, float]:
    """A media range and its weight; a weight that is no number counts as 0."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _weight(form: str, wanted: list[tuple[str, float]]) -> float:
    """That of the most exact range that it fits."""
    for range_ in (form, form.split("/")[0] + "/*", "*/*"):
        for name, weight in wanted:
            if name == range_:
                return weight
    return 0.0
