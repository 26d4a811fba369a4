"""The confusion matrix: which class was detected as which. For people to read; no paper defines it for detection.

Objects and confident detections of an image are paired without regard to class, the greatest IoU first, each at most
once. Does not know files and models.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ssd300.boxes import iou_px
from ssd300.types import Annotation, DetectionTable

IOU_THRESHOLD = 0.5  # as in VOC's metric


def confusion_matrix(
    annotations: Sequence[Annotation],
    detections: DetectionTable,
    num_classes: int,
    *,
    min_score: float,
    iou_threshold: float = IOU_THRESHOLD,
) -> Int[np.ndarray, "k k"]:
    """Counts by the object's class (row) and the detection's class (column); the last of either is background.

    So the last column holds objects without a detection, and the last row detections without an object. Detections
    with scores below `min_score` are excluded. A difficult object is paired like any other, but neither it nor its
    detection is counted.
    """
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    confident = np.flatnonzero(detections.scores >= min_score)
    confident = confident[np.argsort(detections.image_index[confident], kind="stable")]
    ends = np.searchsorted(detections.image_index[confident], np.arange(len(annotations) + 1))
    for index, annotation in enumerate(annotations):
        rows = confident[ends[index] : ends[index + 1]]
        truth = np.append(annotation.labels, num_classes)
        found = np.append(detections.labels[rows], num_classes)
        uncounted = np.append(annotation.difficult, False)
        partner = np.full(len(rows), len(annotation))  # the object of each detection; the last is background
        iou = iou_px(annotation.boxes_px[:, None], detections.boxes_px[rows][None])
        for place in np.argsort(-iou, axis=None, kind="stable"):
            item, row = np.unravel_index(place, iou.shape)
            if iou[item, row] < iou_threshold:
                break
            if partner[row] == len(annotation) and item not in partner:
                partner[row] = item
        counted = ~uncounted[partner]
        np.add.at(counts, (truth[partner[counted]], found[:-1][counted]), 1)
        missed = np.setdiff1d(np.flatnonzero(~annotation.difficult), partner)
        np.add.at(counts, (truth[missed], num_classes), 1)
    return counts
