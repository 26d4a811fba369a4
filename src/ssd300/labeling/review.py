"""Where the labels of a store and a detector disagree, by the rules of `ssd300 review`, while the labels change.

The detections come from the proposals' thread. An image is compared anew once its labels were changed.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ssd300.data.dataset import fold
from ssd300.data.image_digests import image_digests
from ssd300.errors import DataError
from ssd300.evaluation.disagreement import KINDS, Disagreement, Kind
from ssd300.evaluation.evaluator import renumbered
from ssd300.evaluation.label_review import ImageReview, ranked, review_image
from ssd300.evaluation.reviewing import held_min_scores
from ssd300.evaluation.shown import shown_from
from ssd300.evaluation.trained_on import known_digests
from ssd300.labeling.decisions import Decision, Decisions
from ssd300.labeling.label_store import LabelStore
from ssd300.labeling.proposals import Proposed, at_whole_pixels
from ssd300.types import Annotation, Detections, DetectionTable

BUDGET_S = 0.5  # for comparing, in one call: a page waits for it, and asks again
ROUNDED_PX = 0.5  # so far a corner may be off in a file: formats round differently
NOTHING = ImageReview(cases=(), labels=Counter(), found=Counter())


@runtime_checkable
class Looking(Protocol):
    """A detector that looks at images in the background: the proposer."""

    weights: str

    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def source(self) -> Mapping[str, Any]: ...
    @property
    def min_scores(self) -> Mapping[str, float]: ...
    def all_known(self) -> Mapping[int, Proposed]: ...
    def ask_for_labeled(self, numbers: Iterable[int]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ReviewState:
    """The open cases, the most suspicious first, by their ids; `counts` has their number by kind.

    `looked_at` cases were decided, some of them by accepting the proposal that is the label now. `left` labeled images
    are not compared yet. The weights were trained on `trained_on` of the `compared` ones, None if that is not known.
    """

    open: Mapping[str, Disagreement]
    counts: Mapping[Kind, int]
    looked_at: int
    compared: int
    left: int
    trained_on: int | None


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """An image's review, and for which revision of its labels and which classes it holds."""

    revision: int
    classes: tuple[str, ...]
    review: ImageReview


class Reviewer:
    """The review of the labels in `store` by one detector. Threads may share it."""

    def __init__(self, store: LabelStore, names: Sequence[str], detector: Looking, decisions: Decisions) -> None:
        """`names` are what the images are called."""
        self._store, self._names, self._detector, self._decisions = store, names, detector, decisions
        self._compared: dict[int, _Compared] = {}
        self._cases: dict[str, Disagreement] = {}  # by all ids that were ever given
        self._digests: set[str] | None = None
        self._knows_weights = False
        self._trained_on: dict[int, bool] = {}
        self._comparisons = 0
        self._last: tuple[object, ReviewState] | None = None  # and what it was made of
        self._lock = threading.Lock()

    def state(self, classes: Sequence[str]) -> ReviewState:
        """How far the review is; the first call begins it. `classes` are those of the data."""
        with self._lock:
            summaries = self._store.summaries
            labeled = [number for number, one in enumerate(summaries) if one.is_labeled]
            known = self._detector.all_known()
            self._detector.ask_for_labeled(number for number in labeled if number not in known)
            fresh = self._compare([number for number in labeled if number in known], known, tuple(classes))
            left = len(labeled) - len(fresh)
            of = (fresh, left, self._comparisons, self._decisions.count)
            if self._last is None or self._last[0] != of:
                self._last = of, self._counted(fresh, left)
            return self._last[1]

    def decide(self, case_id: str, decision: Decision) -> None:
        """Remember a decision. Raises DataError for an id that was never given, RunError if it cannot be written."""
        if case_id not in self._cases:
            raise DataError("there is no such disagreement", fix="Load the page again.")
        case = self._cases[case_id]
        self._decisions.add(case.image_path, case, decision)

    def _counted(self, fresh: Sequence[int], left: int) -> ReviewState:
        """The cases of the images `fresh` and what was decided about them, each open or looked at.

        Where labels were changed by a decision, the case is gone; one that is there again was undone, and is open.
        """
        cases = {_id(one): one for one in ranked(self._compared[number].review for number in fresh)}
        self._cases |= cases
        images = self._store.files.images
        decided = {number: found for number in fresh if (found := self._decisions.of(images[number]))}
        gone = {number: list(found) for number, found in decided.items()}
        is_open: dict[str, Disagreement] = {}
        looked_at = 0
        for key, case in cases.items():
            about = [one for one in decided.get(case.image_index, ()) if one.is_about(case.to_dict())]
            gone[case.image_index] = [one for one in gone.get(case.image_index, ()) if one not in about]
            if _is_accepted(case) or any(one.decision == "label" for one in about):
                looked_at += 1
            else:
                is_open[key] = case
        looked_at += sum(one.decision != "label" for found in gone.values() for one in found)
        counts = Counter(one.kind for one in is_open.values())
        return ReviewState(
            open=is_open,
            counts={kind: counts[kind] for kind in KINDS},
            looked_at=looked_at,
            compared=len(fresh),
            left=left,
            trained_on=None if self._digests is None else sum(self._trained_on.get(number, False) for number in fresh),
        )

    def _compare(self, numbers: Sequence[int], known: Mapping[int, Proposed], classes: tuple[str, ...]) -> list[int]:
        """Compare images until the time is over; those of `numbers` whose comparison is up to date."""
        summaries, until = self._store.summaries, time.monotonic() + BUDGET_S
        if known and not self._knows_weights:
            self._digests = known_digests(self._detector.weights, self._detector.source)
            self._knows_weights = True
        min_scores = shown_from(classes, held_min_scores(self._detector.min_scores, classes))
        fresh = []
        for number in numbers:
            revision, last = summaries[number].revision, self._compared.get(number)
            if last is None or (last.revision, last.classes) != (revision, classes):
                if time.monotonic() > until:
                    continue
                found = known[number].detections
                review = NOTHING if found is None else self._review(number, found, min_scores)
                self._comparisons += 1
                self._compared[number] = _Compared(revision=revision, classes=classes, review=review)
            fresh.append(number)
        return fresh

    def _review(self, number: int, found: Detections, min_scores: Mapping[str, float]) -> ImageReview:
        image = self._store.files.images[number]
        if self._digests is not None and number not in self._trained_on:
            self._trained_on[number] = image_digests([image])[0] in self._digests
        try:
            annotation = self._annotation(number, list(min_scores))
        except DataError:
            return NOTHING
        table = renumbered(_table(found), found.classes, list(min_scores))
        return review_image(number, annotation, table, min_scores)

    def _annotation(self, number: int, classes: Sequence[str]) -> Annotation:
        """The labels with a usable box. Those of a class that the detector does not know count as difficult."""
        objects = [
            one
            for one in self._store.read(number).labels.objects
            if one.object.box_px is not None and one.object.name in classes
        ]
        known = {fold(name) for name in self._detector.classes}
        names = [one.object.name for one in objects]
        return Annotation(
            image_id=self._names[number],
            image_path=self._store.files.images[number],
            size_hw=None,
            boxes_px=np.array([one.object.box_px for one in objects], dtype=np.float64).reshape(-1, 4),
            labels=np.array([classes.index(name) for name in names], dtype=np.int64),
            difficult=np.array(
                [one.object.difficult or fold(one.object.name) not in known for one in objects], dtype=bool
            ),
            crowd=np.array([one.is_crowd for one in objects], dtype=bool),
        )


def _is_accepted(case: Disagreement) -> bool:
    """Whether the label is a proposal of this detector that a person accepted, though it is below the threshold."""
    if case.kind != "unseen" or case.label is None or case.detection is None:
        return False
    corners = zip(case.label.box_px, at_whole_pixels(case.detection.box_px), strict=True)
    return all(abs(label - proposed) <= ROUNDED_PX for label, proposed in corners)


def _table(found: Detections) -> DetectionTable:
    return DetectionTable(
        image_index=np.zeros(len(found), np.int64),
        labels=found.labels,
        scores=found.scores.astype(np.float64),
        boxes_px=found.boxes.astype(np.float64),
    )


def _id(case: Disagreement) -> str:
    """What names a case as long as its labels and the weights are the same, whatever other labels there are."""
    labels = [None if one is None else (one.name, one.box_px) for one in (case.label, case.other_label)]
    content = repr((case.kind, labels, case.detection)).encode("utf-8", "surrogateescape")
    return f"{case.image_index}-{hashlib.sha256(content).hexdigest()[:16]}"
