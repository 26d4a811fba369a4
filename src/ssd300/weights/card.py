"""The card of weights: the metadata that says what they are of. Parsed from JSON, and checked before anything is built.

A card may come from anywhere, damaged or made by somebody who means harm, or from a newer version of ssd300.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from ssd300.data.class_lists import repeated
from ssd300.data.dataset import fold
from ssd300.errors import WeightsError
from ssd300.images.resize import ANTIALIASED, RESIZES, Resize
from ssd300.model import SSD, Architecture
from ssd300.model.architecture import MODELS, ON_TIMM
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.model.heads import HeadKind
from ssd300.model.ssd import Normalization

SSD_HEADS = "ssd"  # those of a card that says nothing of them
BACKBONE = re.compile(r"timm:[A-Za-z0-9_]+(\.[A-Za-z0-9_-]+)*")
MOST_SHOWN = 100  # characters of a name that is none
NEWER = "Install a newer ssd300."


@dataclass(frozen=True, kw_only=True)
class Card:
    """The metadata of a weights file.

    `model`, `backbone` and `heads` are those of `Architecture`. `classes` are without background, in the order of the
    outputs. `clip_boxes` clips boxes to the image before non-maximum suppression. `metric` is {"name", "value",
    "images"} of the evaluation that chose these weights, None before the first one. `min_scores` are confidence
    thresholds by class name; a class without one has the default of detection.

    `source` tells where the weights come from, as JSON values. Its keys depend on what wrote the file:
    - `ssd300 train`: "start" (the file that it started from, or "none"), "data" ("<folder>, <split>"), "images" (how
      many), and "fingerprint" of the dataset; "recipe" has the choices beyond the paper by option, if there are any.
      `ssd300 thresholds` compares "data" and "fingerprint" with its dataset, and reports if these are training images.
    - `ssd300 import`: "imported_from" (file name) and "layout"; for published weights also "origin", "data", "licence"
      and "published".
    - `ssd300 thresholds` adds "min_scores", a mapping of what they were chosen by and on.
    """

    model: str
    classes: tuple[str, ...] = field(repr=False)
    settings: DefaultBoxSettings = field(repr=False)
    normalization: Normalization
    resize: Resize = ANTIALIASED
    clip_boxes: bool = False
    metric: Mapping[str, Any] | None = None
    min_scores: Mapping[str, float] = field(repr=False, default_factory=dict)
    source: Mapping[str, Any] = field(repr=False, default_factory=dict)
    heads: str = SSD_HEADS
    backbone: str | None = None

    @property
    def image_size_px(self) -> int:
        return self.settings.image_size_px

    @property
    def architecture(self) -> Architecture:
        return Architecture(model=self.model, backbone=self.backbone, heads=self.heads)

    def build(self) -> SSD:
        """A new, randomly initialized detector that these weights fit."""
        return self.architecture.build(len(self.classes), settings=self.settings, normalization=self.normalization)

    def to_json(self) -> dict[str, Any]:
        """Without what says nothing: files of earlier versions have no `fitted_px`, `heads` and `backbone`."""
        card = asdict(self)
        if self.heads == SSD_HEADS:
            del card["heads"]
        if self.backbone is None:
            del card["backbone"]
        if not card["settings"]["fitted_px"]:
            del card["settings"]["fitted_px"]
        return card


def parse_card(text: str | None, path: Path) -> Card:
    """The card in the metadata of the file at `path`; None if that has none. Raises WeightsError."""
    try:
        if text is None:
            raise ValueError("there is no card")
        card = _card(json.loads(text), path)
        _check_card(card, path)
    except WeightsError:
        raise
    except Exception as error:  # damaged values of version 1 raise whatever the code does that they meet
        raise WeightsError(f"the metadata cannot be read ({error})", where=path, fix="Copy the file again.") from error
    return card


def _card(values: dict[str, Any], path: Path) -> Card:
    parts = {"settings": DefaultBoxSettings, "normalization": Normalization}
    for name, entries, kind in [("card", values, Card), *((name, values[name], kind) for name, kind in parts.items())]:
        if unknown := entries.keys() - {one.name for one in fields(kind)}:
            names = ascii(", ".join(sorted(unknown)))[:MOST_SHOWN]
            raise WeightsError(f"the {name} has {names}, which this ssd300 does not know", where=path, fix=NEWER)
    made = {
        name: kind(**{entry: _tuples(value) for entry, value in values[name].items()}) for name, kind in parts.items()
    }
    others = {
        name: _tuples(value) if name == "classes" else value for name, value in values.items() if name not in parts
    }
    return Card(**made, **others)


def _check_card(card: Card, path: Path) -> None:
    if card.model not in MODELS:
        raise WeightsError(f"the model is {card.model}; known are {', '.join(MODELS)}", where=path, fix=NEWER)
    _check_backbone(card, path)
    if (again := repeated(card.classes)) is not None or "" in map(fold, card.classes):
        raise WeightsError(
            f"the class '{again}' is listed twice" if again else "a class has no name",
            where=path,
            fix="Its detections could not be told apart: write the file again, with a name of its own for each class.",
        )
    if not (set(card.min_scores) <= set(card.classes) and all(0 <= score <= 1 for score in card.min_scores.values())):
        raise WeightsError(
            f"the confidence thresholds are {dict(card.min_scores)}; they must be for its classes and lie in 0..1",
            where=path,
            fix="Choose them again with `ssd300 thresholds`.",
        )
    if card.heads not in get_args(HeadKind):
        raise WeightsError(
            f"the heads are {card.heads}; this ssd300 has {', '.join(get_args(HeadKind))}",
            where=path,
            fix=NEWER,
        )
    if card.resize not in RESIZES:
        raise WeightsError(
            f"images are resized by {card.resize}; this ssd300 has {', '.join(RESIZES)}",
            where=path,
            fix=NEWER,
        )


def _check_backbone(card: Card, path: Path) -> None:
    """It is a name, for timm alone to look up: no address, no path, nothing that a terminal would obey."""
    if card.backbone is None and card.model != ON_TIMM:
        return
    if card.model != ON_TIMM:
        raise WeightsError(
            f"the card names a backbone, and {card.model} has its own", where=path, fix="Copy the file again."
        )
    if not (isinstance(card.backbone, str) and BACKBONE.fullmatch(card.backbone)):
        raise WeightsError(
            f"the backbone is {ascii(card.backbone)[:MOST_SHOWN]}; it must be timm: and a name of timm",
            where=path,
            fix="Copy the file again; if it is the same then, do not use it: ssd300 did not write it.",
        )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
