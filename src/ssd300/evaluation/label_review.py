"""Where labels and a detector disagree, the most suspicious case first.

Either of the two may be wrong, and a person decides. Does not know models; boxes are in pixels of the image.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ssd300.boxes import area_px, iou_px
from ssd300.data.dataset import Dataset
from ssd300.evaluation.disagreement import KINDS, Detected, Disagreement, Kind, Label, ReviewRules
from ssd300.evaluation.shown import is_shown, shown_from
from ssd300.types import Annotation, DetectionTable


@dataclass(frozen=True, kw_only=True, eq=False)
class Review:
    """The disagreements on `dataset`, the most suspicious first.

    `min_scores` are the confidence thresholds of each class. `labels` counts the labels of each class that are
    reviewed, `found` those of them that a confident detection finds; difficult ones are in neither.
    """

    dataset: Dataset
    min_scores: Mapping[str, float]
    rules: ReviewRules
    cases: Sequence[Disagreement] = field(repr=False)
    labels: Mapping[str, int]
    found: Mapping[str, int]

    def counts(self) -> dict[Kind, dict[str, int]]:
        """The number of cases of each kind by class: that of the label, of "missed" that of the detection."""
        counted = Counter((one.kind, one.class_name) for one in self.cases)
        return {kind: {name: counted[kind, name] for name in self.dataset.classes} for kind in KINDS}

    def to_dict(self) -> dict[str, Any]:
        return {
            "images": len(self.dataset),
            "labels": dict(self.labels),
            "found": dict(self.found),
            "min_scores": dict(self.min_scores),
            "rules": vars(self.rules),
            "counts": self.counts(),
            "cases": [one.to_dict() for one in self.cases],
        }


@dataclass(frozen=True, kw_only=True)
class ImageReview:
    """The cases of one image, the suspicion of "unseen" not weighted yet; and as in `Review`, the labels of each class
    that are reviewed, and those that are found.
    """

    cases: tuple[Disagreement, ...]
    labels: Counter[str]
    found: Counter[str]


def review(
    dataset: Dataset,
    table: DetectionTable,
    *,
    min_scores: Mapping[str, float] | None = None,
    rules: ReviewRules = ReviewRules(),  # frozen
) -> Review:
    """Compare the labels of `dataset` with detections, of any score, that are numbered by its classes.

    A detection is confident from the threshold of its class, of `min_scores` or else SHOWN_SCORE. Labels and confident
    detections of one class are paired, the best score first, each with the free label of the greatest IoU. Difficult
    labels explain detections, but are reported as doubled alone; a crowd explains all detections inside it, and is
    never reported.
    """
    thresholds = shown_from(dataset.classes, min_scores or {})
    order = np.argsort(table.image_index, kind="stable")
    starts = np.searchsorted(table.image_index[order], np.arange(len(dataset) + 1))
    parts = [
        review_image(number, annotation, table.select(order[starts[number] : starts[number + 1]]), thresholds, rules)
        for number, annotation in enumerate(dataset.annotations)
    ]
    labels, found = label_counts(parts)
    return Review(
        dataset=dataset,
        min_scores=thresholds,
        rules=rules,
        cases=ranked(parts),
        labels={name: labels[name] for name in dataset.classes},
        found={name: found[name] for name in dataset.classes},
    )


def review_image(
    number: int,
    annotation: Annotation,
    table: DetectionTable,
    min_scores: Mapping[str, float],
    rules: ReviewRules = ReviewRules(),  # frozen
) -> ImageReview:
    """The part of a review that one image has: its number, its labels and its detections.

    `min_scores` has a threshold for each class, in the order by which labels and detections are numbered.
    """
    classes = list(min_scores)
    table = table.select(np.argsort(-table.scores, kind="stable"))
    image = _Image(number, annotation, classes, table, is_shown(table.labels, table.scores, min_scores), rules)
    cases = tuple(image.cases())
    reviewed = np.flatnonzero(~annotation.difficult & ~annotation.crowd)
    names = [classes[label] for label in annotation.labels]
    return ImageReview(
        cases=cases,
        labels=Counter(names[index] for index in reviewed),
        found=Counter(names[index] for index in reviewed if image.found[index]),
    )


def ranked(parts: Iterable[ImageReview]) -> list[Disagreement]:
    """The cases of all images, the most suspicious first; "unseen" weighted by the labels that are found in all."""
    parts = list(parts)
    labels, found = label_counts(parts)
    shares = {name: found[name] / labels[name] for name in labels}
    return sorted((_weighted(one, shares) for part in parts for one in part.cases), key=_order)


def label_counts(parts: Iterable[ImageReview]) -> tuple[Counter[str], Counter[str]]:
    """Of each class, the labels that are reviewed, and those that a confident detection finds."""
    labels, found = Counter[str](), Counter[str]()
    for part in parts:
        labels.update(part.labels)
        found.update(part.found)
    return labels, found


def _weighted(case: Disagreement, shares: Mapping[str, float]) -> Disagreement:
    """The case; of "unseen", its suspicion times the share of labels of its class that are found."""
    if case.kind != "unseen" or case.label is None:
        return case
    return replace(case, suspicion=case.suspicion * shares[case.label.name])


def _order(case: Disagreement) -> tuple[float, int, int, int, tuple[float, ...]]:
    index = -1 if case.label is None else case.label.index
    box = () if case.detection is None else case.detection.box_px
    return -case.suspicion, case.image_index, KINDS.index(case.kind), index, box


class _Image:
    """One image: its labels, its detections by falling score, and which of them are explained so far."""

    def __init__(
        self,
        number: int,
        annotation: Annotation,
        classes: Sequence[str],
        detections: DetectionTable,
        confident: Bool[np.ndarray, " n"],
        rules: ReviewRules,
    ) -> None:
        self.number, self.annotation, self.classes, self.rules = number, annotation, classes, rules
        self.detections, self.confident = detections, confident
        self.boxes = annotation.boxes_px.astype(np.float64)
        self.iou: Float[np.ndarray, "n m"] = iou_px(detections.boxes_px[:, None], self.boxes[None])
        self.same: Bool[np.ndarray, "n m"] = detections.labels[:, None] == annotation.labels[None]
        self.open_rows = confident.copy()  # confident detections that are not explained by a label yet
        self.open_labels = ~annotation.crowd
        self.silent = annotation.difficult | annotation.crowd
        self.twin_of: dict[int, int] = {}
        self.found = np.zeros(len(annotation), bool)

    def cases(self) -> Iterator[Disagreement]:
        rules = self.rules
        yield from self._doubled()
        for row, index in self._pairs(self.same, rules.match_iou):
            self.found[index] = True
            if self.iou[row, index] < rules.close_iou and not self.silent[index]:
                yield self._loose(row, index)
        for row, index in self._pairs(~self.same, rules.match_iou):
            if not self.silent[index]:
                own = self._best_score(index)
                suspicion = max(0.0, self.detections.scores[row] - own) * self.iou[row, index]
                yield self._case("other-class", suspicion, index, row)
        for row, index in self._pairs(self.same, rules.near_iou):
            if not self.silent[index]:
                yield self._loose(row, index)
        yield from self._missed()
        for index in np.flatnonzero(self.open_labels & ~self.silent).tolist():
            yield self._case("unseen", 1 - self._best_score(index), index, self._best_row(index))
        for second, first in self.twin_of.items():
            same = self.annotation.labels[first] == self.annotation.labels[second]
            self.found[second] = same and self.found[first]

    def _doubled(self) -> Iterator[Disagreement]:
        """Pairs of labels, the one that the detector supports first. The other is closed: one detection finds both."""
        overlap = np.triu(iou_px(self.boxes[:, None], self.boxes[None]), 1)
        for pair in np.argwhere(overlap >= self.rules.doubled_iou).tolist():
            if self.open_labels[pair].all():
                first, second = sorted(pair, key=lambda index: -self._best_score(index))
                row = self._best_row(first)
                yield self._case("doubled", overlap[*pair], first, row, other=second)
                self.open_labels[second] = False
                self.twin_of[second] = first

    def _pairs(self, allowed: Bool[np.ndarray, "n m"], least_iou: float) -> Iterator[tuple[int, int]]:
        """Open detections, the best score first, each with the open label of the greatest IoU; both are then closed."""
        for row in np.flatnonzero(self.open_rows).tolist():
            iou = np.where(allowed[row] & self.open_labels, self.iou[row], 0.0)
            if len(iou) and iou.max() >= least_iou:
                index = int(iou.argmax())
                self.open_rows[row] = self.open_labels[index] = False
                yield row, index

    def _missed(self) -> Iterator[Disagreement]:
        """Open detections but for those in a crowd, and for second ones of an object, with a label or without."""
        in_crowd = self._inside(self.boxes[self.annotation.crowd])
        boxes, taken = self.detections.boxes_px, np.zeros((0, 4))
        for row in np.flatnonzero(self.open_rows).tolist():
            nearest = self.iou[row].max(initial=0.0)
            second = max(nearest, iou_px(boxes[row], taken).max(initial=0.0)) >= self.rules.match_iou
            if not second and not in_crowd[row]:
                taken = np.concatenate([taken, boxes[row][None]])
                yield self._case("missed", self.detections.scores[row] * (1 - nearest), None, row)

    def _inside(self, crowds: Float[np.ndarray, "c 4"]) -> Bool[np.ndarray, " n"]:
        """Which detections lie in one of the regions with half of their area or more."""
        boxes = self.detections.boxes_px
        width = np.minimum(boxes[:, None, 2], crowds[None, :, 2]) - np.maximum(boxes[:, None, 0], crowds[None, :, 0])
        height = np.minimum(boxes[:, None, 3], crowds[None, :, 3]) - np.maximum(boxes[:, None, 1], crowds[None, :, 1])
        shared = np.clip(width, 0, None) * np.clip(height, 0, None)
        inside: np.ndarray = (2 * shared >= area_px(boxes)[:, None]).any(axis=1)
        return inside

    def _best_row(self, index: int) -> int | None:
        """The best detection of the label's class at its place, of any score; None if there is none."""
        rows = np.flatnonzero(self.same[:, index] & (self.iou[:, index] >= self.rules.match_iou))
        return int(rows[0]) if len(rows) else None

    def _best_score(self, index: int) -> float:
        row = self._best_row(index)
        return 0.0 if row is None else float(self.detections.scores[row])

    def _loose(self, row: int, index: int) -> Disagreement:
        return self._case("loose", self.detections.scores[row] * (1 - self.iou[row, index]), index, row)

    def _case(
        self, kind: Kind, suspicion: float, index: int | None, row: int | None, *, other: int | None = None
    ) -> Disagreement:
        return Disagreement(
            kind=kind,
            image_index=self.number,
            image_id=self.annotation.image_id,
            image_path=self.annotation.image_path,
            label=None if index is None else self._label(index),
            other_label=None if other is None else self._label(other),
            detection=None if row is None else self._detected(row),
            suspicion=float(suspicion),
        )

    def _label(self, index: int) -> Label:
        return Label(int(index), self.classes[self.annotation.labels[index]], tuple(self.boxes[index].tolist()))

    def _detected(self, row: int) -> Detected:
        one = self.detections
        return Detected(self.classes[one.labels[row]], float(one.scores[row]), tuple(one.boxes_px[row].tolist()))
