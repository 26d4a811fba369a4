"""The kind of error of each false detection and missed object, and how much mAP would gain without a kind.

The kinds and their correction are those of TIDE (Bolya et al. 2020, sections 2.2 and 2.3). Which detection is true is
decided by VOC's rules. Does not know files and models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int

from ssd300.metrics.voc import average_precision
from ssd300.metrics.voc_matching import Judged, Objects, judge, nearest_objects, objects_of
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules
from ssd300.types import Annotation, DetectionTable

FALSE_KINDS = ("class", "location", "both", "duplicate", "background")
CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND = range(len(FALSE_KINDS))
MISSED = "missed"
KINDS = (*FALSE_KINDS, MISSED)
NO_ERROR = -1
BACKGROUND_IOU = 0.1  # TIDE, section 2.2: below it a detection is of background


@dataclass(frozen=True, kw_only=True, eq=False)
class Errors:
    """The error of each detection, and the state of each object.

    `kinds` has one entry per row of `detections`: an index into FALSE_KINDS, or NO_ERROR where the detection is true or
    ignored. `about` is the object that the error is about, a row of `objects`, or -1. `found` and `missed` have one
    entry per object. An object is found if a detection is true for it; some objects are neither found nor missed.
    """

    detections: DetectionTable
    judged: Sequence[Judged] = field(repr=False)
    objects: Objects
    kinds: Int[np.ndarray, " n"] = field(repr=False)
    about: Int[np.ndarray, " n"] = field(repr=False)
    found: Bool[np.ndarray, " m"] = field(repr=False)
    missed: Bool[np.ndarray, " m"] = field(repr=False)


def find_errors(
    annotations: Sequence[Annotation], detections: DetectionTable, num_classes: int, rules: VocRules = DEVKIT
) -> Errors:
    """The kind of every error, the first of these that fits.

    duplicate: the IoU with an object of its class reaches the threshold, but a better detection is true for it.
    class: the IoU with an object of another class reaches the threshold.
    location: the IoU with an object of its class reaches BACKGROUND_IOU.
    both: the IoU with an object of another class reaches BACKGROUND_IOU.
    background: all others.
    An object is missed if it counts, no detection is true for it, and no error of class or location is about it.

    Raises:
        ValueError: as `judge`.
    """
    judged = judge(annotations, detections, num_classes, rules)
    objects = objects_of(annotations, rules)
    kinds, about = np.full(len(detections), NO_ERROR), np.full(len(detections), -1)
    for label, one in enumerate(judged):
        rows = one.rows[~one.true]
        same, others = (np.flatnonzero(mine) for mine in (objects.labels == label, objects.labels != label))
        own, own_iou = nearest_objects(detections, rows, objects.select(same), rules)
        other, other_iou = nearest_objects(detections, rows, objects.select(others), rules)
        fits = [
            one.matched_object[~one.true] >= 0,
            rules.enough(other_iou),
            own_iou >= BACKGROUND_IOU,
            other_iou >= BACKGROUND_IOU,
        ]
        own, other = np.append(same, -1)[own], np.append(others, -1)[other]
        kinds[rows] = np.select(fits, [DUPLICATE, CLASS, LOCATION, BOTH], BACKGROUND)
        about[rows] = np.select(fits, [own, other, own, other], -1)
    found, missed = np.zeros(len(objects), bool), ~objects.difficult
    for one in judged:
        found[one.matched_object[one.true]] = True
    missed[found] = False
    missed[about[np.isin(kinds, (CLASS, LOCATION))]] = False
    return Errors(
        detections=detections, judged=judged, objects=objects, kinds=kinds, about=about, missed=missed, found=found
    )


def count_errors(errors: Errors) -> Int[np.ndarray, "k kinds"]:
    """One row per class, one column per kind as in KINDS.

    False detections are counted for the detection's class, missed objects for the object's.
    """
    counts = np.zeros((len(errors.judged), len(KINDS)), np.int64)
    false = errors.kinds != NO_ERROR
    np.add.at(counts, (errors.detections.labels[false], errors.kinds[false]), 1)
    counts[:, -1] = np.bincount(errors.objects.labels[errors.missed], minlength=len(errors.judged))
    return counts


def gains(errors: Errors, *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT) -> dict[str, float | None]:
    """How much mAP (0..1) rises if all errors of one kind are corrected. None where no class has an object.

    class, location: of the errors about one object that counts and was not found, the best detection becomes true; all
    others of the kind are removed.
    both, duplicate, background: the detections are removed.
    missed: the objects are removed; a class that has none left has an AP of 1.
    """
    known = [label for label, one in enumerate(errors.judged) if one.objects.any()]
    if not known:
        return dict.fromkeys(KINDS)

    def mean(true: Sequence[np.ndarray], objects: Sequence[int]) -> float:
        aps = [average_precision(*one, protocol=protocol, rules=rules) for one in zip(true, objects, strict=True)]
        return float(np.mean([1.0 if ap is None else ap for ap in aps]))

    true = [errors.judged[label].true for label in known]
    objects = [int(errors.judged[label].objects.sum()) for label in known]
    as_it_is = mean(true, objects)
    gain: dict[str, float | None] = {}
    for kind, name in enumerate(FALSE_KINDS):
        become_true = _become_true(errors, kind)
        gain[name] = mean([_corrected(errors, label, kind, become_true) for label in known], objects) - as_it_is
    missed = np.bincount(errors.objects.labels[errors.missed], minlength=len(errors.judged))[known]
    gain[MISSED] = mean(true, (np.array(objects) - missed).tolist()) - as_it_is
    return gain


def _become_true(errors: Errors, kind: int) -> Int[np.ndarray, " n"]:
    """The detections of a kind that become true: the best about each object that counts and is not found."""
    if kind not in (CLASS, LOCATION):
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(errors.kinds == kind)
    rows = rows[np.argsort(-errors.detections.scores[rows], kind="stable")]
    rows = rows[~(errors.objects.difficult | errors.found)[errors.about[rows]]]
    _, best = np.unique(errors.about[rows], return_index=True)
    best_rows: np.ndarray = rows[best]
    return best_rows


def _corrected(errors: Errors, label: int, kind: int, true_rows: Int[np.ndarray, " t"]) -> Bool[np.ndarray, " n"]:
    """Which detections of a class are true, best score first, after correction: without a kind, with `true_rows`."""
    one = errors.judged[label]
    stay = errors.kinds[one.rows] != kind
    added = true_rows[errors.objects.labels[errors.about[true_rows]] == label]
    rows, true = np.concatenate([one.rows[stay], added]), np.concatenate([one.true[stay], np.ones(len(added), bool)])
    ordered: np.ndarray = true[np.lexsort((rows, -errors.detections.scores[rows]))]
    return ordered
