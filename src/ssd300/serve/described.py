"""What a page must know of a model: its classes, how good it is, and the defaults of detection. Not FastAPI."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from ssd300.detection.defaults import MIN_SCORE
from ssd300.detection.detector import DISPLAY
from ssd300.detection.network import Described
from ssd300.images.colors import class_colors, readable_on
from ssd300.metrics.words import map_in_words


def model_facts(card: Described) -> dict[str, Any]:
    """JSON values: the part of `schemas.Model` that follows from the weights alone."""
    return {
        "model": card.model,
        "classes": [
            {
                "name": name,
                "color": _hex(color),
                "text_color": _hex(readable_on(color)),
                "min_score": card.min_scores.get(name, MIN_SCORE),
            }
            for name, color in class_colors(card.classes).items()
        ],
        "image_size_px": card.image_size_px,
        "metric": None if card.metric is None else _with_words(card.metric),
        "max_overlap": DISPLAY.max_overlap,
        "top_k": DISPLAY.top_k,
        "ssd300_version": version("ssd300"),
    }


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + bytes(color).hex()


def _with_words(metric: Mapping[str, Any]) -> dict[str, Any]:
    """The metric of a card, and the same in words for the page."""
    if metric.get("value") is None:
        return dict(metric)
    return {**metric, "words": map_in_words(str(metric.get("name", "")), metric["value"], digits=2)}
