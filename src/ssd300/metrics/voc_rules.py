"""The rules in which evaluators of PASCAL VOC differ."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args, get_type_hints

import numpy as np
from jaxtyping import Bool, Float

Protocol: TypeAlias = Literal["voc07", "voc12"]

NAMES = {"voc07": "voc07_11pt", "voc12": "voc12_area"}
IOU_THRESHOLD = 0.5  # VOCinit.m, VOCopts.minoverlap


@dataclass(frozen=True, kw_only=True)
class VocRules:
    """The rules of one evaluation; the defaults are the development kit's.

    Parameters
    ----------
    iou_threshold
        The IoU from which a detection belongs to an object.
    overlap
        Whether the IoU must reach the threshold ('at-least'), or be greater ('above'), as in py-faster-rcnn and
        detectron2.
    pixels
        'inclusive' widths include both ends of a box, as VOC's do. 'differences' are one less: a box from column 3 to
        column 5 is 2 wide.
    difficult
        Difficult objects are 'ignored' with their detections; or 'counted' like others; or 'dropped' beforehand, so
        that detections of them are false.
    voc07_thresholds
        'exact' compares 10 * true positives with k * objects in integers. 'float64' compares recall with
        np.arange(0., 1.1, .1), as most published numbers do; three of its values are just above .3, .6 and .7. Has no
        effect on voc12.

    Raises
    ------
    ValueError
        A threshold is outside (0, 1], or a choice is unknown.
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
        """Whether an IoU is enough for a detection to belong to an object."""
        reached: np.ndarray = iou >= self.iou_threshold if self.overlap == "at-least" else iou > self.iou_threshold
        return reached

    def departures(self, protocol: Protocol) -> list[str]:
        """The rules that are not the development kit's, in words. `metric_name` adds `iou_threshold` itself."""
        words = {
            "float64 recall thresholds": protocol == "voc07" and self.voc07_thresholds == "float64",
            "overlap above the threshold": self.overlap == "above",
            "widths without the last pixel": self.pixels == "differences",
            f"difficult objects {self.difficult}": self.difficult != "ignored",
        }
        return [word for word, departs in words.items() if departs]


DEVKIT = VocRules()


def metric_name(protocol: Protocol, rules: VocRules = DEVKIT) -> str:
    """The full name of the metric in reports: `voc07_11pt@0.5`, then the rules that are not the development kit's."""
    departures = ", ".join(rules.departures(protocol))
    return f"{NAMES[protocol]}@{rules.iou_threshold:g}" + (f" ({departures})" if departures else "")
