"""The names of metrics as people read them. Stored names, such as `voc07_11pt@0.5`, are for programs."""

import re

from ssd300.metrics.coco import NAME as COCO_NAME
from ssd300.metrics.voc_rules import NAMES

RULES = {"voc07": "VOC 2007 rule (11 points)", "voc12": "VOC 2012 rule (area under the curve)"}
MAP_IN_ONE_SENTENCE = (
    "mAP (mean average precision) is 1 if the detector finds every object with a well-placed box and nothing else, and "
    "0 if it finds none; it is the mean of the classes' AP."
)


def metric_in_words(metric: str) -> str:
    """'mAP, VOC 2007 rule (11 points), IoU 0.5' for `voc07_11pt@0.5`; a name that is not known stays as it is."""
    if metric == COCO_NAME:
        return "mAP, COCO rule, mean over IoU 0.5 to 0.95"
    for protocol, name in NAMES.items():
        if match := re.fullmatch(re.escape(name) + r"@([\d.]+)(?: \((.*)\))?", metric):
            iou, departures = match.groups()
            return f"mAP, {RULES[protocol]}, IoU {iou}" + (f", {departures}" if departures else "")
    return metric


def map_in_words(metric: str, value: float | None, digits: int = 4) -> str:
    """'mAP 0.7500, VOC 2007 rule (11 points), IoU 0.5'; a value that is None is a hyphen."""
    number = "-" if value is None else f"{value:.{digits}f}"
    name, comma, rule = metric_in_words(metric).partition(", ")
    return f"{name} {number}{comma}{rule}"
