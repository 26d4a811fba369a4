"""PASCAL VOC average precision of detections that come in blocks, in memory that does not grow with their number.

VOC's matching looks at one image and class alone, so a block of whole images is judged by itself. `Ranking` has the
rest. The numbers are those of `voc`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ssd300.metrics.ranking import Ranking
from ssd300.metrics.voc import ClassResult, average_precision_at_true
from ssd300.metrics.voc_matching import judge, objects_of
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules
from ssd300.types import Annotation, DetectionTable

_NO_CURVE = np.zeros(0)


class VocInBlocks:
    """Takes the blocks one after the other, then gives the results by each protocol.

    The false detections are kept in `folder`, 16 bytes for each, the true ones in memory, 16 bytes for each object at
    most.
    """

    def __init__(
        self, annotations: Sequence[Annotation], num_classes: int, folder: Path, rules: VocRules = DEVKIT
    ) -> None:
        self._annotations, self._rules = annotations, rules
        self._rankings = [Ranking(folder / f"voc_{label}") for label in range(num_classes)]
        self._detections = np.zeros(num_classes, np.int64)
        self._rows = 0

    def add(self, block: DetectionTable) -> None:
        """Judge a block, which has all detections of its images. Equal scores keep the order of the blocks.

        Raises ValueError as `judge` does.
        """
        images, image_index = np.unique(block.image_index, return_inverse=True)
        judged = judge(
            [self._annotations[image] for image in images],
            replace(block, image_index=image_index),
            len(self._rankings),
            self._rules,
        )
        for ranking, one in zip(self._rankings, judged, strict=True):
            ranking.add(one.scores, self._rows + one.rows, one.true)
        self._detections += [one.detections for one in judged]
        self._rows += len(block)

    def results(self, protocol: Protocol = "voc07") -> list[ClassResult]:
        """As of `voc_average_precision`, without the curves."""
        every, classes = objects_of(self._annotations, self._rules), len(self._rankings)
        objects = np.bincount(every.labels[~every.difficult], minlength=classes)
        difficult = np.bincount(every.labels[every.difficult], minlength=classes)
        return [
            ClassResult(
                ap=self._average_precision(label, int(objects[label]), protocol),
                objects=int(objects[label]),
                difficult=int(difficult[label]),
                detections=int(self._detections[label]),
                recall=_NO_CURVE,
                precision=_NO_CURVE,
                scores=_NO_CURVE,
            )
            for label in range(classes)
        ]

    def _average_precision(self, label: int, objects: int, protocol: Protocol) -> float | None:
        precision = self._rankings[label].precision() if objects else _NO_CURVE
        return average_precision_at_true(precision, objects, protocol=protocol, rules=self._rules)
