"""A track stays with its object: through a gap and a crossing, and whatever else is in the frame."""

import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ssd300.detection.results import Result
from ssd300.detection.tracking import tracked, with_faint
from ssd300.errors import DataError, UsageError
from ssd300.types import Selection

pytest.importorskip("trackers")
RATE = 10
SELECTION = Selection(min_score=0.3, max_overlap=0.5, top_k=200)


def result(number, found):
    """`found` are label, score and the left and top side of a box."""
    found = sorted(found, key=lambda one: -one[1])
    return Result(
        boxes=np.array([(x, y, x + 40, y + 40) for *_, x, y in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, *_ in found], np.float32),
        labels=np.array([label for label, *_ in found], np.int64),
        classes=("ball", "cone"),
        image="a.mp4",
        frame=number,
        time_s=number / RATE,
        pixels=np.zeros((300, 400, 3), np.uint8),
    )


def crossing(*, gap=(), labels=(0, 0), every=1):
    """Two objects that pass each other; the first one, of score .9, is not seen in the frames of `gap`."""
    for number in range(0, 40, every):
        first = [] if number in gap else [(labels[0], 0.9, 20 + 8 * number, 100)]
        yield result(number, [*first, (labels[1], 0.8, 340 - 8 * number, 110)])


@pytest.mark.parametrize("labels", [(0, 0), (0, 1)])
@pytest.mark.parametrize(("gap", "every"), [((), 1), (range(10, 14), 1), ((), 2), ((20,), 5)])
def test_tracks_stay_through_a_crossing_and_a_gap(labels, gap, every):
    given = list(crossing(gap=gap, labels=labels, every=every))
    found = list(tracked(iter(given), SELECTION, Fraction(RATE, every)))
    assert [one.frame for one in found] == [one.frame for one in given]
    for one, before in zip(found, given, strict=True):
        assert np.array_equal(one.boxes, before.boxes)
        by_score = dict(zip(np.round(one.scores.tolist(), 1), one.tracks, strict=True))
        assert by_score == ({0.8: 2} if one.frame in gap else {0.9: 1, 0.8: 2})


def test_what_is_too_faint_continues_a_track_and_is_not_shown():
    given = [result(number, [(0, 0.15 if number % 4 == 3 else 0.9, 20 + 4 * number, 100)]) for number in range(20)]
    found = list(tracked(given, SELECTION, Fraction(RATE)))
    assert [one.tracks for one in found] == [() if number % 4 == 3 else (1,) for number in range(20)]
    assert with_faint(SELECTION).min_score == pytest.approx(0.1)
    assert with_faint(replace(SELECTION, min_score=(0.05, 0.4))).min_score == (0.05, 0.1)


def test_what_is_seen_once_has_no_track():
    given = [
        result(number, [(0, 0.9, 20, 100), *([(1, 0.8, 200, 200)] if number == 7 else [])]) for number in range(12)
    ]
    found = list(tracked(given, SELECTION, Fraction(RATE)))
    assert found[7].tracks == (1, None)
    assert found[7].captions(found[7].names) == ["ball 1 0.90", "cone 0.80"]
    assert [one["track"] for one in found[7].to_dict()["detections"]] == [1, None]
    assert [one["track"] for one in found[0].to_dict()["detections"]] == [1]


def test_pauses_jumps_and_missing_times_lose_nothing():
    given = [result(number, [(0, 0.9, 20 + number, 100)]) for number in range(12)]
    for times in ([0.0, 0.1, 5.0, 5.1, 60.0, 60.1, 59.0, 59.1, 59.1, 59.2, 59.3, 70.0], [None] * 12):
        changed = [replace(one, time_s=time) for one, time in zip(given, times, strict=True)]
        assert {one.tracks for one in tracked(changed, SELECTION, Fraction(RATE))} == {(1,)}


def test_results_before_a_fault_are_given_before_it_is_raised():
    def broken():
        yield from (result(number, [(0, 0.9, 20, 100)]) for number in range(5))
        raise DataError("it breaks off")

    seen = []
    with pytest.raises(DataError, match="breaks off"):
        seen.extend(one.frame for one in collect(tracked(broken(), SELECTION, Fraction(RATE)), seen))
    assert seen == [0, 1, 2, 3, 4]


def collect(results, seen):
    for one in results:
        seen.append(one.frame)
    return []


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "trackers", None)
    with pytest.raises(UsageError, match=r"\[track\]"):
        list(tracked([], SELECTION, Fraction(RATE)))
