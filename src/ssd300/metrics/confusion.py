"""The confusion matrix: which class was detected as which. For people to read; no paper defines it for detection.

It counts by the rules of the metric, so that its numbers are those of the tables beside it. Does not know files and
models.
"""

import numpy as np
from jaxtyping import Int

from ssd300.metrics.error_kinds import NO_ERROR, Errors
from ssd300.metrics.voc_matching import iou_of_pairs
from ssd300.metrics.voc_rules import DEVKIT, VocRules


def confusion_matrix(errors: Errors, rules: VocRules = DEVKIT) -> Int[np.ndarray, "k k"]:
    """Counts by the object's class (row) and the detection's class (column); the last of either is background.

    The diagonal holds the objects that are found. Of the others, objects and false detections of another class are
    paired if their IoU is enough, the greatest IoU first, each at most once. What is left has no partner: the last
    column holds objects, the last row detections. Difficult objects and the detections of them are not counted.

    So a row without its diagonal counts the objects that are not found, a column without its diagonal the false
    detections of the class. `rules` are those that the errors were found by.
    """
    num_classes = len(errors.judged)
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    objects, found_as = errors.objects, np.append(errors.detections.labels, num_classes)
    np.add.at(counts, (objects.labels[errors.found], objects.labels[errors.found]), 1)
    false, lost = np.flatnonzero(errors.kinds != NO_ERROR), np.flatnonzero(~objects.difficult & ~errors.found)
    partner = _partners(errors, false, lost, rules)
    np.add.at(counts, (objects.labels[lost], found_as[partner]), 1)
    np.add.at(counts, (num_classes, found_as[np.setdiff1d(false, partner)]), 1)
    return counts


def _partners(
    errors: Errors, false: Int[np.ndarray, " n"], lost: Int[np.ndarray, " m"], rules: VocRules
) -> Int[np.ndarray, " m"]:
    """For each of the objects `lost` the detection, of those in `false`, that it was taken for; -1 for none."""
    objects, detections = errors.objects, errors.detections
    false = false[np.argsort(detections.image_index[false], kind="stable")]
    starts = np.searchsorted(detections.image_index[false], np.arange(objects.num_images + 1))
    first, end = starts[:-1][objects.images[lost]], starts[1:][objects.images[lost]]
    places = np.repeat(np.arange(len(lost)), end - first)  # of `lost`: each with all detections of its image
    rows = false[np.concatenate([np.zeros(0, np.int64), *map(np.arange, first, end)])]
    iou = iou_of_pairs(objects.boxes_px[lost[places]], detections.boxes_px[rows], rules)
    fits = rules.enough(iou) & (objects.labels[lost[places]] != detections.labels[rows])
    places, rows, iou = places[fits], rows[fits], iou[fits]
    partner, taken = np.full(len(lost), -1), set()
    for place, row in zip(
        *(column[np.argsort(-iou, kind="stable")].tolist() for column in (places, rows)), strict=True
    ):
        if partner[place] < 0 and row not in taken:
            partner[place] = row
            taken.add(row)
    return partner
