"""COCO's average precision of detections that come in blocks, in memory that does not grow with their number.

COCO's matching looks at one image and class alone, so a block of whole images is judged by itself. What is kept of a
detection, its rank and for each threshold and size whether it is true or false, goes to a file of its class. There are
at most as many true ones as objects, at which alone recall rises; so one pass over the file finds them, and another one
counts the false ones before each. The numbers are those of `coco`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Complex, Float, Int

from ssd300.metrics.coco import NUMBERS, CocoResult, check_finite
from ssd300.metrics.coco_matching import AREA_RANGES_PX, IOU_THRESHOLDS, MOST_OF_A_CLASS, judge, truth_of
from ssd300.metrics.voc import ClassResult
from ssd300.types import Annotation, DetectionTable

RECALLS = np.linspace(0, 1, 101)
MOST = (1, 10, MOST_OF_A_CLASS)  # detections of a class and image that count for AR1, AR10 and all other numbers
AREAS, THRESHOLDS = len(AREA_RANGES_PX), len(IOU_THRESHOLDS)
CASES = AREAS * THRESHOLDS
BLOCK = 1 << 16  # detections that are read at a time: some 25 MB with what is counted of them
# As in `ranking`, a complex number is minus the score and the place among equal scores. A bit is a case.
KEPT = np.dtype([("rank", "<c16"), ("true", "u1", (CASES // 8,)), ("false", "u1", (CASES // 8,))])
_NO_CURVE = np.zeros(0)


class CocoInBlocks:
    """Takes the blocks one after the other, then gives the result. `folder` gets 26 bytes for each detection."""

    def __init__(self, annotations: Sequence[Annotation], num_classes: int, folder: Path) -> None:
        self._annotations, self._classes, self._folder = annotations, num_classes, folder
        truth = truth_of(annotations)
        self._objects = np.zeros((num_classes, AREAS), np.int64)
        for area in range(AREAS):
            counted = truth.labels[~truth.ignored[:, area]]
            self._objects[:, area] = np.bincount(counted, minlength=num_classes)
        self._of_class = np.bincount(truth.labels[~truth.crowd], minlength=num_classes)
        self._found = np.zeros((len(MOST), num_classes, AREAS, THRESHOLDS), np.int64)  # true ones
        self._detections = np.zeros(num_classes, np.int64)

    def add(self, block: DetectionTable) -> None:
        """Judge a block, which has all detections of its images. Of equal scores the lower image ranks first.

        Raises ValueError as `coco_average_precision` does.
        """
        check_finite(block)
        self._detections += np.bincount(block.labels, minlength=self._classes)
        images, places = np.unique(block.image_index, return_inverse=True)
        truth = truth_of([self._annotations[image] for image in images])
        table = DetectionTable(
            image_index=places, labels=block.labels, scores=block.scores, boxes_px=block.boxes_px
        )  # fmt: skip
        judged = judge(truth, table, self._classes)
        labels = block.labels[judged.rows]
        for number, most in enumerate(MOST):
            np.add.at(self._found[number], labels[judged.ranks < most], judged.true[judged.ranks < most])
        kept = np.empty(len(labels), KEPT)
        kept["rank"].real = -block.scores[judged.rows]
        kept["rank"].imag = block.image_index[judged.rows] * MOST_OF_A_CLASS + judged.ranks
        kept["true"] = np.packbits(judged.true.reshape(-1, CASES), axis=1)
        kept["false"] = np.packbits(judged.false.reshape(-1, CASES), axis=1)
        counts = kept["true"].any(axis=1) | kept["false"].any(axis=1)
        kept, labels = kept[counts], labels[counts]
        for label in np.unique(labels).tolist():
            with self._file(label).open("ab") as file:
                file.write(kept[labels == label].tobytes())

    def result(self) -> CocoResult:
        """As of `coco_average_precision`."""
        precision = np.full((self._classes, AREAS, THRESHOLDS, len(RECALLS)), -1.0)
        recall = np.full((len(MOST), self._classes, AREAS, THRESHOLDS), -1.0)
        for label, objects in enumerate(self._objects):
            known = objects > 0
            if known.any():
                precision[label, known] = self._precision(label)[known]
                recall[:, label, known] = self._found[:, label, known] / objects[known][:, None]
        all_sizes = [precision[:, 0], precision[:, 0, 0], precision[:, 0, 5]]  # IoU 0.50 to 0.95, 0.50, 0.75
        of_sizes = [precision[:, area] for area in range(1, AREAS)]
        recalls = [*(recall[number, :, 0] for number in range(len(MOST))), *(recall[-1, :, a] for a in range(1, AREAS))]
        numbers = [_mean(values) for values in (*all_sizes, *of_sizes, *recalls)]
        return CocoResult(
            numbers=dict(zip(NUMBERS, numbers, strict=True)),
            per_class=[self._of(label, precision[label, 0]) for label in range(self._classes)],
        )

    def _of(self, label: int, precision: Float[np.ndarray, "thresholds recalls"]) -> ClassResult:
        objects = int(self._of_class[label])
        return ClassResult(
            ap=float(precision.mean()) if objects else None,
            objects=objects,
            difficult=0,
            detections=int(self._detections[label]),
            recall=_NO_CURVE,
            precision=_NO_CURVE,
            scores=_NO_CURVE,
        )

    def _precision(self, label: int) -> Float[np.ndarray, "areas thresholds recalls"]:
        """The best precision at each of RECALLS or a higher one; of sizes without objects it means nothing."""
        true = self._true(label)
        before = [np.zeros(len(ranks), np.int64) for ranks in true]  # false ones
        for kept in self._kept(label):
            kept = kept[np.argsort(kept["rank"])]
            false = np.cumsum(np.unpackbits(kept["false"], axis=1), axis=0, dtype=np.int64)
            for case, ranks in enumerate(true):
                place = np.searchsorted(kept["rank"], ranks)
                before[case] += np.where(place > 0, false[place - 1, case], 0)
        found = np.zeros((CASES, len(RECALLS)))
        for case, false_ones in enumerate(before):
            objects = self._objects[label, case // THRESHOLDS]
            found[case] = _at_recalls(false_ones, max(int(objects), 1))
        return found.reshape(AREAS, THRESHOLDS, len(RECALLS))

    def _true(self, label: int) -> list[Complex[np.ndarray, " n"]]:
        """The sorted ranks of the true detections in each case."""
        ranks: list[list[np.ndarray]] = [[np.zeros(0, "<c16")] for _ in range(CASES)]
        for kept in self._kept(label):
            true = np.unpackbits(kept["true"], axis=1).astype(bool)
            for case in np.flatnonzero(true.any(axis=0)):
                ranks[case].append(kept["rank"][true[:, case]])
        return [np.sort(np.concatenate(parts)) for parts in ranks]

    def _kept(self, label: int) -> Iterator[np.ndarray]:
        if self._file(label).exists():
            with self._file(label).open("rb") as file:
                while len(kept := np.fromfile(file, KEPT, BLOCK)):
                    yield kept

    def _file(self, label: int) -> Path:
        return self._folder / f"coco_{label}"


def _at_recalls(false_before: Int[np.ndarray, " n"], objects: int) -> Float[np.ndarray, " recalls"]:
    """Precision at RECALLS from the false ones before the first, second, .. true one, in pycocotools' arithmetic."""
    true = np.arange(1, len(false_before) + 1, dtype=np.float64)
    precision = true / (false_before + true + np.spacing(1))
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0 at recalls that are never reached
    found: np.ndarray = envelope[np.searchsorted(true / objects, RECALLS)]
    return found


def _mean(values: Float[np.ndarray, "*any"]) -> float | None:
    """Of the classes that have objects; None if none has."""
    known = values[values > -1]
    return float(known.mean()) if len(known) else None
