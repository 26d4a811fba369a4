"""Which frames are looked at, by number and by time."""

from fractions import Fraction

import pytest

from ssd300.detection.frame_choice import FrameChoice

RATE = Fraction(30)


def chosen(choice, times):
    due = choice.due(RATE)
    return [number for number, time in enumerate(times) if due(number, time)]


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (FrameChoice(), list(range(30))),
        (FrameChoice(every=7), [0, 7, 14, 21, 28]),
        (FrameChoice(per_second=10.0), list(range(0, 30, 3))),
        (FrameChoice(per_second=0.5), [0]),
        (FrameChoice(per_second=1000.0), list(range(30))),
    ],
)
@pytest.mark.parametrize(
    "times",
    [[number / RATE for number in range(30)], [None] * 30, [Fraction(round(1000 * n / 30), 1000) for n in range(30)]],
)
def test_evenly_spaced_frames(choice, numbers, times):
    assert chosen(choice, times) == numbers


def test_an_uneven_rate_is_chosen_by_time():
    times = [Fraction(n, 30) for n in range(30)] + [Fraction(n) for n in range(1, 4)]
    assert chosen(FrameChoice(per_second=2.0), times) == [0, 15, 30, 31, 32]


def test_counts_and_rates_of_what_is_looked_at():
    assert FrameChoice(every=4).rate(RATE) == Fraction(15, 2)
    assert FrameChoice(per_second=100.0).rate(RATE) == RATE
    assert FrameChoice(every=4).count(30, RATE) == 8
    assert FrameChoice(every=4, most=3).count(30, RATE) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"every": 0}, {"per_second": 0.0}, {"per_second": float("nan")}, {"most": 0}, {"every": 2, "per_second": 1.0}],
)
def test_a_wrong_choice_is_refused(wrong):
    with pytest.raises(ValueError):
        FrameChoice(**wrong)
