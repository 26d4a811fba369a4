from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from random_detections import problem
from random_detections import table as random_table
from ssd300.metrics.error_kinds import FALSE_KINDS, KINDS, NO_ERROR, count_errors, find_errors, gains
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import Annotation, DetectionTable

CAT, DOG = 0, 1
HERE, THERE = (0, 0, 40, 40), (60, 60, 100, 100)
NEAR_HERE = (0, 0, 80, 20)  # IoU 800 / 2400 with HERE, and none with THERE
EMPTY = (0, 60, 30, 100)


def image(*objects, difficult=()):
    return Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=(100, 100),
        boxes_px=np.array([box for _, box in objects], dtype=np.float64).reshape(-1, 4),
        labels=np.array([label for label, _ in objects], dtype=np.int64),
        difficult=np.array([index in difficult for index in range(len(objects))], dtype=bool),
    )  # fmt: skip


def table(*rows):
    """Rows of (class, score, box) in the first image."""
    return DetectionTable(
        image_index=np.zeros(len(rows), np.int64), labels=np.array([row[0] for row in rows], dtype=np.int64),
        scores=np.array([row[1] for row in rows], dtype=np.float64),
        boxes_px=np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "rows", "kinds", "missed"),
    [
        ([(CAT, HERE)], [(CAT, 0.9, HERE)], [None], 0),
        ([(CAT, HERE)], [(CAT, 0.9, HERE), (CAT, 0.8, HERE)], [None, "duplicate"], 0),
        ([(CAT, HERE)], [(DOG, 0.9, HERE)], ["class"], 0),  # a class error covers its object
        ([(CAT, HERE)], [(CAT, 0.9, NEAR_HERE)], ["location"], 0),  # so does one of location
        ([(CAT, HERE)], [(CAT, 0.9, (0, 0, 40, 4))], ["location"], 0),  # an IoU of exactly 0.1
        ([(CAT, HERE)], [(DOG, 0.9, NEAR_HERE)], ["both"], 1),
        ([(CAT, HERE)], [(CAT, 0.9, EMPTY)], ["background"], 1),
        ([(CAT, HERE), (DOG, NEAR_HERE)], [(DOG, 0.9, HERE)], ["class"], 1),  # enough of the cat, a little of the dog
        ([(CAT, HERE)], [], [], 1),
        ([], [(CAT, 0.9, HERE)], ["background"], 0),
        ([], [], [], 0),
    ],
)
def test_kinds_by_hand(objects, rows, kinds, missed):
    errors = find_errors([image(*objects)], table(*rows), 2)
    assert [None if kind == NO_ERROR else FALSE_KINDS[kind] for kind in errors.kinds] == kinds
    assert errors.missed.sum() == missed
    counted = count_errors(errors).sum(axis=0)
    assert dict(zip(KINDS, counted, strict=True)) == {
        **{kind: kinds.count(kind) for kind in FALSE_KINDS}, "missed": missed
    }  # fmt: skip


def test_difficult_objects_are_neither_missed_nor_found_nor_false():
    errors = find_errors([image((CAT, HERE), difficult=[0])], table((CAT, 0.9, HERE)), 2)
    assert errors.kinds.tolist() == [NO_ERROR]
    assert not errors.missed.any()
    counted = find_errors([image((CAT, HERE), difficult=[0])], table(), 2, VocRules(difficult="counted"))
    assert counted.missed.tolist() == [True]
    dropped = find_errors(
        [image((CAT, HERE), difficult=[0])], table((CAT, 0.9, HERE)), 2, VocRules(difficult="dropped")
    )
    assert [FALSE_KINDS[kind] for kind in dropped.kinds] == ["background"]


@pytest.mark.parametrize(
    ("objects", "rows", "kind", "gain"),
    [
        ([(CAT, HERE), (DOG, THERE)], [(DOG, 0.9, HERE), (DOG, 0.8, THERE)], "class", 1.0 - 0.25),  # 0, 1/2 -> 1, 1
        ([(CAT, HERE)], [(CAT, 0.9, NEAR_HERE)], "location", 1.0),
        ([(CAT, HERE)], [(CAT, 0.9, EMPTY), (CAT, 0.8, HERE)], "background", 0.5),
        ([(CAT, HERE), (CAT, THERE)], [(CAT, 0.9, HERE), (CAT, 0.8, HERE), (CAT, 0.7, THERE)], "duplicate", 1 / 6),
        ([(CAT, HERE), (CAT, THERE)], [(CAT, 0.9, HERE)], "missed", 0.5),
        ([(CAT, HERE)], [], "missed", 1.0),  # nothing is left to find
        ([(CAT, HERE)], [(CAT, 0.9, HERE)], "class", 0.0),
    ],
)
def test_what_mending_is_worth_by_hand(objects, rows, kind, gain):
    errors = find_errors([image(*objects)], table(*rows), 2)
    worth = gains(errors, protocol="voc12")
    assert worth[kind] == pytest.approx(gain)
    assert all(value >= -1e-12 for value in worth.values())


def test_of_two_wrong_detections_of_an_object_one_becomes_true():
    errors = find_errors(
        [image((CAT, HERE), (CAT, EMPTY))],
        table((CAT, 0.9, EMPTY), (DOG, 0.8, HERE), (DOG, 0.7, HERE)),
        2,
    )
    assert gains(errors, protocol="voc12")["class"] == pytest.approx(0.5)


def test_no_object_has_no_gain():
    assert gains(find_errors([image()], table((CAT, 0.9, HERE)), 2)) == dict.fromkeys(KINDS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_every_detection_is_true_ignored_or_of_one_kind(seed):
    annotations, rows = problem(seed)
    detections = random_table(rows)
    errors = find_errors(annotations, detections, 2)
    true = sum(int(one.true.sum()) for one in errors.judged)
    counted = sum(len(one.true) for one in errors.judged)
    assert (errors.kinds != NO_ERROR).sum() == counted - true
    assert errors.found.sum() == true
    assert not (errors.found & errors.missed).any()
    assert all(value is None or value >= -1e-9 for value in gains(errors, protocol="voc12").values())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(0.0, 200.0), (200.0, 400.0), (0.0, 1e10)]))
def test_ap_of_a_size_equals_a_literal_rendering(seed, area_range):
    """Objects outside are difficult ones, and false detections outside are taken away beforehand."""
    annotations, rows = problem(seed)
    detections = random_table(rows)

    def outside(boxes):
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return (area < area_range[0]) | (area > area_range[1])

    sized = [
        Annotation(**{**vars(one), "difficult": one.difficult | outside(one.boxes_px)}) for one in annotations
    ]  # fmt: skip
    errors = find_errors(sized, detections, 2, DEVKIT)
    false_outside = (errors.kinds != NO_ERROR) & outside(detections.boxes_px)
    wanted = voc_average_precision(sized, detections.select(~false_outside), 2)
    got = voc_average_precision(annotations, detections, 2, within_area_px=area_range)
    assert [one.ap for one in got] == [one.ap for one in wanted]
    assert mean_ap(got) == mean_ap(wanted)
