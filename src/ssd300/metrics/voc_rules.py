"""The choices by which evaluators of PASCAL VOC differ; the defaults are those of the development kit."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args, get_type_hints

import numpy as np
from jaxtyping import Bool, Float

Protocol: TypeAlias = Literal["voc07", "voc12"]

NAMES = {"voc07": "voc07_11pt", "voc12": "voc12_area"}
IOU_THRESHOLD = 0.5  # VOCinit.m, VOCopts.minoverlap


@dataclass(frozen=True, kw_only=True)
class VocRules:
    """The choices by which evaluators differ; the defaults are the development kit's.

    Parameters
    ----------
    iou_threshold
        The overlap that makes a detection an object's.
    overlap
        Whether it must reach the threshold ('at-least'), or lie above it, as in py-faster-rcnn and detectron2.
    pixels
        'inclusive' counts both ends of a box, as VOC does; 'differences' leaves the one out, so that a box from column
        3 to column 5 is 2 wide.
    difficult
        Difficult objects are 'ignored' with their detections; or 'counted' as others; or 'dropped' beforehand, so that
        detections of them are false.
    voc07_thresholds
        'exact' compares 10 * true positives with k * objects in integers; 'float64' compares recall with
        np.arange(0., 1.1, .1), whose values lie just above .3, .6 and .7, as most published numbers do. The area under
        the curve has no such thresholds.
    """

    iou_threshold: float = IOU_THRESHOLD
    overlap: Literal["at-least", "above"] = "at-least"
    pixels: Literal["inclusive", "differences"] = "inclusive"
    difficult: Literal["ignored", "counted", "dropped"] = "ignored"
    voc07_thresholds: Literal["exact", "float64"] = "exact"

    def __post_init__(self) -> None:
        if not 0 < self.iou_threshold <= 1:
            raise ValueError(f"iou_threshold is {self.iou_threshold}; it must be above 0, and 1 at most")
        for name, hint in get_type_hints(type(self)).items():
            if (choices := get_args(hint)) and getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(choices)}")

    def enough(self, iou: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Whether it makes a detection an object's."""
        reached: np.ndarray = iou >= self.iou_threshold if self.overlap == "at-least" else iou > self.iou_threshold
        return reached

    def departures(self, protocol: Protocol) -> list[str]:
        """What of this is not the development kit's, in words; the threshold itself stands in the metric's name."""
        words = {
            "float64 recall thresholds": protocol == "voc07" and self.voc07_thresholds == "float64",
            "overlap above the threshold": self.overlap == "above",
            "widths without the last pixel": self.pixels == "differences",
            f"difficult objects {self.difficult}": self.difficult != "ignored",
        }
        return [word for word, departs in words.items() if departs]


DEVKIT = VocRules()


def metric_name(protocol: Protocol, rules: VocRules = DEVKIT) -> str:
    """The full name under which a number is reported: `voc07_11pt@0.5`, and what departs from the development kit."""
    departures = ", ".join(rules.departures(protocol))
    return f"{NAMES[protocol]}@{rules.iou_threshold:g}" + (f" ({departures})" if departures else "")
