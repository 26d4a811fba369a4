"""Which detections a score is of: the limits on their scores and number, without which the same mAP means other things.

Average precision changes with the lowest score that counts, with NMS, and with the most detections of an image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ssd300.detection.defaults import MAX_OVERLAP
from ssd300.metrics.coco import NAME as COCO_NAME
from ssd300.metrics.coco_matching import MOST_OF_A_CLASS
from ssd300.types import DetectionTable, Selection


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`min_score`, one for all classes or one for each, `max_overlap` (NMS IoU) and `top_k` of an image are what was
    asked for. None: not asked for, as for stored predictions, on which no NMS runs.

    `lowest_score` and `most_per_image` are those of the detections that were there before anything was asked for, None
    without a detection.
    """

    min_score: float | Sequence[float] | None = field(default=None, repr=False)
    max_overlap: float | None = None
    top_k: int | None = None
    lowest_score: float | None = None
    most_per_image: int | None = None

    @classmethod
    def of_weights(cls, selection: Selection, found: DetectionTable) -> "Limits":
        """Of the detections that a detector `found` with this selection."""
        return cls(
            min_score=selection.min_score,
            max_overlap=selection.max_overlap,
            top_k=selection.top_k,
            **_measured(found),
        )

    @classmethod
    def of_stored(cls, stored: DetectionTable, *, min_score: float | None = None, top_k: int | None = None) -> "Limits":
        """Of all `stored` predictions, of which only those above `min_score` and the best `top_k` of an image count."""
        return cls(min_score=min_score, top_k=top_k, **_measured(stored))

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Limits":
        """The inverse of `to_dict`."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def to_dict(self, metrics: Sequence[str]) -> dict[str, Any]:
        """Plain values, and what COCO's metric takes of a class and image, None if it is not among the `metrics`."""
        plain = asdict(self) | ({"min_score": list(self.min_score)} if isinstance(self.min_score, Sequence) else {})
        return plain | {"coco_most_of_a_class": MOST_OF_A_CLASS if COCO_NAME in metrics else None}

    def describe(self, metric: str) -> str:
        """One line: what stands beside the number by this metric, and the NMS IoU of `detect` if it is another."""
        parts = []
        if isinstance(self.min_score, Sequence):
            parts.append(f"confidence thresholds of the classes {min(self.min_score):g} to {max(self.min_score):g}")
        elif self.min_score is not None:
            parts.append(f"confidence threshold {self.min_score:g}")
        if self.max_overlap is not None:
            parts.append(f"NMS IoU {self.max_overlap:g}")
        if self.top_k is not None:
            parts.append(f"best {self.top_k} of an image")
        if self.max_overlap is None:
            parts.append(self._describe_stored())
        if metric == COCO_NAME:
            parts.append(f"of these COCO's metric takes the best {MOST_OF_A_CLASS} of a class and image")
        unlike = self.max_overlap is not None and self.max_overlap != MAX_OVERLAP
        return ", ".join(parts) + (f"; detect uses NMS IoU {MAX_OVERLAP:g}" if unlike else "")

    def _describe_stored(self) -> str:
        if self.lowest_score is None:
            return "no detection is stored"
        return f"stored: no score below {self.lowest_score:.3g}, at most {self.most_per_image} of an image"


def _measured(table: DetectionTable) -> dict[str, Any]:
    if not len(table):
        return {}
    most = np.unique(table.image_index, return_counts=True)[1].max()
    return {"lowest_score": float(table.scores.min()), "most_per_image": int(most)}
