"""The format of the response, chosen by a request's `Accept` header (RFC 9110, section 12.5.1)."""

from typing import Literal

JSON, XML = "application/json", "application/xml"
ImageFormat = Literal["jpeg", "png"]
IMAGES: dict[str, ImageFormat] = {"image/jpeg": "jpeg", "image/png": "png"}
OFFERED = (JSON, *IMAGES, XML)  # of several that are accepted equally, the first is chosen


def choose_format(accept: str) -> str | None:
    """The media type of `OFFERED` with the highest weight; None where none of them is accepted."""
    wanted = [_parsed(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    weights = {offered: _weight(offered, wanted) for offered in OFFERED}
    best = max(OFFERED, key=lambda offered: weights[offered])
    return best if weights[best] > 0 else None


def _parsed(part: str) -> tuple[str, float]:
    """A media range and its weight, 1 without one; a weight that is not a number counts as 0."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _weight(offered: str, wanted: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that matches this media type; 0 without a match."""
    for range_ in (offered, offered.split("/")[0] + "/*", "*/*"):
        for name, weight in wanted:
            if name == range_:
                return weight
    return 0.0
