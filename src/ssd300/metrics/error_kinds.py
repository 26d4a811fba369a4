"""What kind of error each false detection and each missed object is, and what mending a kind would be worth.

The kinds and their mending are those of TIDE (Bolya et al. 2020, sections 2.2 and 2.3); which detection is true is said
by the rules of VOC. Knows neither files nor models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
BACKGROUND_IOU = 0.1  # TIDE, section 2.2: below it a detection is of no object


@dataclass(frozen=True, kw_only=True, eq=False)
class Errors:
    """`kinds` has an entry a row of `detections`: an index into FALSE_KINDS, or NO_ERROR where it is true or ignored.

    `about` is the object that the error is about, counted as in `objects_of`, or -1. `found` and `missed` have an entry
    an object: found is what a detection is true for, and some objects are neither.
    """

    detections: DetectionTable
    judged: Sequence[Judged]
    objects: Objects
    kinds: Int[np.ndarray, " n"]
    about: Int[np.ndarray, " n"]
    found: Bool[np.ndarray, " m"]
    missed: Bool[np.ndarray, " m"]


def find_errors(
    annotations: Sequence[Annotation], detections: DetectionTable, num_classes: int, rules: VocRules = DEVKIT
) -> Errors:
    """The kind of every error, the first of these that fits.

    duplicate: overlaps an object of its class enough, which another has. class: overlaps one of another class enough.
    location: overlaps one of its class by BACKGROUND_IOU or more. both: so one of another class. background: the rest.
    An object is missed if it counts, no detection is true for it, and no error of class or location is about it.

    Raises as `judge` does.
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
            one.met[~one.true] >= 0,
            rules.enough(other_iou),
            own_iou >= BACKGROUND_IOU,
            other_iou >= BACKGROUND_IOU,
        ]
        own, other = np.append(same, -1)[own], np.append(others, -1)[other]
        kinds[rows] = np.select(fits, [DUPLICATE, CLASS, LOCATION, BOTH], BACKGROUND)
        about[rows] = np.select(fits, [own, other, own, other], -1)
    found, missed = np.zeros(len(objects), bool), ~objects.difficult
    for one in judged:
        found[one.met[one.true]] = True
    missed[found] = False
    missed[about[np.isin(kinds, (CLASS, LOCATION))]] = False
    return Errors(
        detections=detections, judged=judged, objects=objects, kinds=kinds, about=about, missed=missed, found=found
    )


def count_errors(errors: Errors) -> Int[np.ndarray, "k kinds"]:
    """A row a class, a column a kind as in KINDS: false ones by the detection's class, missed ones by the object's."""
    counts = np.zeros((len(errors.judged), len(KINDS)), np.int64)
    false = errors.kinds != NO_ERROR
    np.add.at(counts, (errors.detections.labels[false], errors.kinds[false]), 1)
    counts[:, -1] = np.bincount(errors.objects.labels[errors.missed], minlength=len(errors.judged))
    return counts


def gains(errors: Errors, *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT) -> dict[str, float | None]:
    """By how much mAP rises if all errors of a kind, and no others, are mended. None where there is no mAP.

    Class and location: of the detections that are wrong so about an object that was not found, the best becomes true;
    the others go. Both, duplicate and background: they go. Missed: the objects go; a class of which none is left has 1.
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
        gain[name] = mean([_mended(errors, label, kind, become_true) for label in known], objects) - as_it_is
    missed = np.bincount(errors.objects.labels[errors.missed], minlength=len(errors.judged))[known]
    gain[MISSED] = mean(true, (np.array(objects) - missed).tolist()) - as_it_is
    return gain


def _become_true(errors: Errors, kind: int) -> Int[np.ndarray, " n"]:
    """Rows of errors of this kind that are the best about an object that counts and was not found."""
    if kind not in (CLASS, LOCATION):
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(errors.kinds == kind)
    rows = rows[np.argsort(-errors.detections.scores[rows], kind="stable")]
    rows = rows[~(errors.objects.difficult | errors.found)[errors.about[rows]]]
    _, best = np.unique(errors.about[rows], return_index=True)
    best_rows: np.ndarray = rows[best]
    return best_rows


def _mended(errors: Errors, label: int, kind: int, true_rows: Int[np.ndarray, " t"]) -> Bool[np.ndarray, " n"]:
    """Which detections of a class are true, best score first, without the errors of a kind and with `true_rows`."""
    one = errors.judged[label]
    stay = errors.kinds[one.rows] != kind
    added = true_rows[errors.objects.labels[errors.about[true_rows]] == label]
    rows, true = np.concatenate([one.rows[stay], added]), np.concatenate([one.true[stay], np.ones(len(added), bool)])
    ordered: np.ndarray = true[np.lexsort((rows, -errors.detections.scores[rows]))]
    return ordered
