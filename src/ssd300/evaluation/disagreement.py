"""A disagreement of labels and a detector: its kinds, its parts, and the rules by which it is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ssd300.boxes import CORNERS
from ssd300.errors import as_text

Kind = Literal["missed", "other-class", "doubled", "loose", "unseen"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGS: Mapping[Kind, str] = {
    "missed": "the detector is confident of an object that has no label",
    "other-class": "a confident detection has another class than the label at its place",
    "doubled": "two labels have nearly the same box",
    "loose": "a confident detection finds the object, but its box and that of the label differ",
    "unseen": "no confident detection finds the labeled object",
}


@dataclass(frozen=True, kw_only=True)
class ReviewRules:
    """IoUs that decide about a label and a detection, or two labels.

    From `match_iou` on they are about one object, from `close_iou` on their boxes agree, from `near_iou` on they are
    about one object if neither has another partner, and from `doubled_iou` on two labels are of one object.

    Raises:
        ValueError: an IoU is not in 0..1, or the first three are not in this order: near, match, close.
    """

    near_iou: float = 0.3
    match_iou: float = 0.5
    close_iou: float = 0.75
    doubled_iou: float = 0.75

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value <= 1:
                raise ValueError(f"{name} is {value}; it must be above 0, and 1 at most")
        if not self.near_iou <= self.match_iou <= self.close_iou:
            what = f"near_iou is {self.near_iou}, match_iou {self.match_iou}, close_iou {self.close_iou}"
            raise ValueError(f"{what}; none may be below the one before it")


@dataclass(frozen=True)
class Label:
    """An annotated object: its place among the objects of its image that were read, from 0, its class and its box."""

    index: int
    name: str
    box_px: tuple[float, float, float, float]

    def to_dict(self) -> dict[str, Any]:
        return {"index": self.index, "class": self.name, "box": dict(zip(CORNERS, self.box_px, strict=True))}


@dataclass(frozen=True)
class Detected:
    """A detection: its class, its score and its box."""

    name: str
    score: float
    box_px: tuple[float, float, float, float]

    def to_dict(self) -> dict[str, Any]:
        return {"class": self.name, "score": self.score, "box": dict(zip(CORNERS, self.box_px, strict=True))}


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """One case. The larger `suspicion`, 0..1, the more likely is the label wrong. By kind it is

    missed: the score, times 1 - the greatest IoU with a label.
    other-class: the score less the best score of the label's own class there, times the IoU.
    doubled: the IoU of the two labels.
    loose: the score, times 1 - the IoU.
    unseen: 1 - the best score of the label's class there, times the share of labels of its class that are found: that
        a detector which finds few of them misses one more says little.

    `label` is None for "missed"; `other_label` is the second one of "doubled", else None; `detection` is None where
    there is none at the place, as may be for "doubled" and "unseen".
    """

    kind: Kind
    image_index: int
    image_id: str
    image_path: Path
    label: Label | None
    other_label: Label | None = None
    detection: Detected | None
    suspicion: float

    @property
    def class_name(self) -> str:
        """The class of the label, the first one of two; where there is no label, that of the detection."""
        one = self.label or self.detection
        assert one is not None  # each case has one of them
        return one.name

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "image": as_text(self.image_path),
            "image_id": as_text(self.image_id),
            "suspicion": self.suspicion,
            "label": None if self.label is None else self.label.to_dict(),
            "other_label": None if self.other_label is None else self.other_label.to_dict(),
            "detection": None if self.detection is None else self.detection.to_dict(),
        }
