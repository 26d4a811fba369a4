"""Which detections are true, false or ignored by COCO's rules, for all thresholds and sizes at once: the matching of
pycocotools' `evaluateImg`, without its loop over images.

Does not know files and models. COCO has no difficult objects, so they count like others; crowd regions are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.types import Annotation, DetectionTable

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
AREA_RANGES_PX = np.array([(0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10)])  # all, small, .., large
MOST_OF_A_CLASS = 100  # detections in one image; COCOeval's maxDets
PAIRS_AT_ONCE = 1 << 19  # of a detection and an object, whose IoU is computed together


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """All objects of the annotations, one row for each, in the order of the images. `boxes` have x, y, width, height.

    `ignored` are those that do not count for a range of areas: crowd regions, and those of another size.
    """

    images: Int[np.ndarray, " m"]
    labels: Int[np.ndarray, " m"]
    boxes: Float[np.ndarray, "m 4"]
    crowd: Bool[np.ndarray, " m"]
    ignored: Bool[np.ndarray, "m areas"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CocoJudged:
    """The best MOST_OF_A_CLASS detections of each class and image, by class, image and score.

    `rows` are rows of the table, `ranks` the places among those of the class and image, from 0. A detection that is
    neither true nor false is ignored.
    """

    rows: Int[np.ndarray, " n"]
    ranks: Int[np.ndarray, " n"]
    true: Bool[np.ndarray, "n areas thresholds"]
    false: Bool[np.ndarray, "n areas thresholds"]


def truth_of(annotations: Sequence[Annotation]) -> Truth:
    boxes = _sides(np.concatenate([np.zeros((0, 4)), *(one.boxes_px for one in annotations)]))
    crowd = np.concatenate([np.zeros(0, bool), *(one.crowd for one in annotations)])
    return Truth(
        images=np.repeat(np.arange(len(annotations)), [len(one) for one in annotations]).astype(np.int64),
        labels=np.concatenate([np.zeros(0, np.int64), *(one.labels for one in annotations)]),
        boxes=boxes,
        crowd=crowd,
        ignored=crowd[:, None] | _outside(boxes),
    )


def judge(truth: Truth, detections: DetectionTable, num_classes: int) -> CocoJudged:
    """Decide, for each threshold and range of areas, which detections are true, false or ignored.

    Detections take objects of their class and image, best score first, of equal ones in the table's order: the free
    object with the greatest IoU, if that is at least the threshold, of equals the last one; where no object that counts
    is left, an ignored one. A detection is true if its object counts, and ignored if it is ignored; without an object
    it is false, unless its area is outside the range. A crowd region can be taken many times.
    """
    rows, keys, ranks = _best(detections, num_classes)
    boxes = _sides(detections.boxes_px[rows].astype(np.float64))
    true = np.zeros((len(rows), len(AREA_RANGES_PX), len(IOU_THRESHOLDS)), bool)
    false = np.repeat(~_outside(boxes)[:, :, None], len(IOU_THRESHOLDS), axis=2)
    order = np.argsort(truth.images * num_classes + truth.labels, kind="stable")
    pairs = _Pairs.of(boxes, keys, truth, order, num_classes)
    taken = np.zeros((len(order), *true.shape[1:]), bool)
    for start, end in zip(pairs.rounds[:-1], pairs.rounds[1:], strict=True):
        found, objects, iou = pairs.detections[start:end], pairs.objects[start:end], pairs.iou[start:end]
        free = ~taken[objects] | truth.crowd[objects][:, None, None]
        enough = free & (iou[:, None, None] >= IOU_THRESHOLDS)
        count = len(found)
        # Of each detection the last pair wins, as they are in the order of IoU, and before all those that are ignored.
        value = np.arange(count)[:, None] + count * ~truth.ignored[objects]
        first = np.flatnonzero(np.append(True, found[1:] != found[:-1]))
        best = np.maximum.reduceat(np.where(enough, value[:, :, None], -1), first, axis=0)
        matched, of = best >= 0, found[first]
        _, area, threshold = np.nonzero(matched)
        taken[objects[best[matched] % count], area, threshold] = True
        true[of] = best >= count
        false[of] &= ~matched
    return CocoJudged(rows=rows, ranks=ranks, true=true, false=false)


def _best(
    detections: DetectionTable, num_classes: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The rows that count, by image, class and score; a number for image and class; the place in these."""
    keys = detections.image_index * num_classes + detections.labels
    rows = np.lexsort((-detections.scores, keys))
    keys = keys[rows]
    ranks = np.arange(len(keys)) - np.searchsorted(keys, keys)
    few = ranks < MOST_OF_A_CLASS
    return rows[few], keys[few], ranks[few]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Detections with objects of their class and image whose IoU is enough for the lowest threshold.

    They are in the order of rounds, detections, IoU and objects. The first round has the best detection of each class
    and image, the second the next one, and so on; the pairs of a round begin at its place in `rounds`.
    """

    detections: Int[np.ndarray, " p"]
    objects: Int[np.ndarray, " p"]
    iou: Float[np.ndarray, " p"]
    rounds: Int[np.ndarray, " r"]

    @classmethod
    def of(
        cls,
        boxes: Float[np.ndarray, "n 4"],
        keys: Int[np.ndarray, " n"],
        truth: Truth,
        order: Int[np.ndarray, " m"],
        num_classes: int,
    ) -> "_Pairs":
        """`keys` ascend; `order` sorts the objects by the same keys."""
        own = (truth.images * num_classes + truth.labels)[order]
        start, end = np.searchsorted(own, keys), np.searchsorted(own, keys, side="right")
        counts = end - start
        parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for some in _slices(counts):
            found = np.repeat(some, counts[some])
            before = np.cumsum(counts[some]) - counts[some]
            objects = order[np.arange(len(found)) + np.repeat(start[some] - before, counts[some])]
            iou = _iou(boxes[found], truth.boxes[objects], truth.crowd[objects])
            near = iou >= IOU_THRESHOLDS[0]
            parts.append((found[near], objects[near], iou[near]))
        found, objects, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
        near_ones, which = np.unique(found, return_inverse=True)
        of_near = keys[near_ones]
        rounds = (np.arange(len(of_near)) - np.searchsorted(of_near, of_near))[which]
        sort = np.lexsort((objects, iou, found, rounds))
        ends = np.cumsum(np.bincount(rounds)) if len(rounds) else np.zeros(0, np.int64)
        return cls(detections=found[sort], objects=objects[sort], iou=iou[sort], rounds=np.append(0, ends))


def _slices(counts: Int[np.ndarray, " n"]) -> list[Int[np.ndarray, " _"]]:
    """The numbers of the detections that have objects, in parts of some PAIRS_AT_ONCE pairs."""
    some = np.flatnonzero(counts)
    return np.split(some, np.flatnonzero(np.diff(np.cumsum(counts[some]) // PAIRS_AT_ONCE)) + 1) if len(some) else []


def _sides(boxes_px: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """x, y, width and height, as COCO's files have them."""
    return np.concatenate([boxes_px[:, :2], boxes_px[:, 2:] - boxes_px[:, :2]], axis=1)


def _outside(boxes: Float[np.ndarray, "n 4"]) -> Bool[np.ndarray, "n areas"]:
    area = (boxes[:, 2] * boxes[:, 3])[:, None]
    outside: np.ndarray = (area < AREA_RANGES_PX[:, 0]) | (area > AREA_RANGES_PX[:, 1])
    return outside


def _iou(
    boxes: Float[np.ndarray, "p 4"], objects: Float[np.ndarray, "p 4"], crowd: Bool[np.ndarray, " p"]
) -> Float[np.ndarray, " p"]:
    """IoU of pairs, and with a crowd region the covered part of the box: in the steps of pycocotools' bbIou."""
    end = np.minimum(boxes[:, :2] + boxes[:, 2:], objects[:, :2] + objects[:, 2:])
    sides = np.clip(end - np.maximum(boxes[:, :2], objects[:, :2]), 0, None)
    both = sides[:, 0] * sides[:, 1]
    area = boxes[:, 2] * boxes[:, 3]
    union = np.where(crowd, area, area + objects[:, 2] * objects[:, 3] - both)
    iou: np.ndarray = np.divide(both, union, out=np.zeros(len(boxes)), where=both > 0)
    return iou
