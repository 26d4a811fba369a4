import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from random_detections import problem, table
from ssd300.metrics.operating_point import Wanted, operating_point
from ssd300.metrics.voc import voc_average_precision

MIN_SCORE = 0.01


def curve(true, scores, objects):
    """The result of a class whose detections are so."""
    from ssd300.metrics.voc import ClassResult

    positives = np.cumsum(true)
    return ClassResult(
        ap=0.5 if objects else None, objects=objects, difficult=0, detections=len(true),
        recall=positives / max(objects, 1), precision=positives / np.arange(1, len(true) + 1),
        scores=np.array(scores, dtype=np.float64),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "min_score", "precision", "recall", "reached"),
    [
        (Wanted(), 0.35, 0.75, 0.75, True),
        (Wanted(goal="precision", value=0.9), 0.65, 1.0, 0.5, True),
        (Wanted(goal="precision", value=0.75), 0.35, 0.75, 0.75, True),  # the most recall
        (Wanted(goal="recall", value=0.5), 0.65, 1.0, 0.5, True),  # the most precision
        (Wanted(goal="recall", value=0.75), 0.35, 0.75, 0.75, True),
        (Wanted(goal="recall", value=1.0), 0.35, 0.75, 0.75, False),  # the nearest
    ],
)
def test_by_hand(wanted, min_score, precision, recall, reached):
    result = curve([True, True, False, True, False, False], [0.9, 0.8, 0.5, 0.4, 0.3, 0.1], 4)
    point = operating_point(result, wanted, curve_min_score=MIN_SCORE)
    assert (point.min_score, point.precision, point.recall) == pytest.approx((min_score, precision, recall))
    assert point.reached is reached


def test_equal_scores_are_not_parted():
    point = operating_point(curve([True, False, True], [0.9, 0.9, 0.9], 2), Wanted(), curve_min_score=MIN_SCORE)
    assert (point.precision, point.recall) == pytest.approx((2 / 3, 1.0))
    assert point.min_score == pytest.approx((0.9 + MIN_SCORE) / 2)


def test_precision_out_of_reach_gives_the_best_there_is():
    wanted = Wanted(goal="precision", value=0.9)
    point = operating_point(curve([False, True], [0.9, 0.8], 1), wanted, curve_min_score=MIN_SCORE)
    assert (point.precision, point.reached) == (0.5, False)


@pytest.mark.parametrize(("true", "objects"), [([], 2), ([False], 0), ([], 0)])
def test_without_a_curve_there_is_no_point(true, objects):
    scores = np.linspace(0.9, 0.8, len(true))
    assert operating_point(curve(true, scores, objects), Wanted(), curve_min_score=MIN_SCORE) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"goal": "f1", "value": 0.5}, "wants none"),
        ({"goal": "precision"}, "wants one"),
        ({"goal": "recall", "value": 0.0}, "above 0"),
        ({"goal": "precision", "value": 1.5}, "1 at most"),
    ],
)
def test_nonsense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Wanted(**values)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.one_of(
        st.just(Wanted()),
        st.builds(Wanted, goal=st.sampled_from(["precision", "recall"]), value=st.sampled_from([0.3, 0.6, 1.0])),
    ),
)
def test_detections_above_the_score_have_that_precision_and_recall(seed, wanted):
    annotations, rows = problem(seed)
    detections = table(rows)
    results = voc_average_precision(annotations, detections, 2)
    for label, result in enumerate(results):
        point = operating_point(result, wanted, curve_min_score=0.0)
        if point is None:
            assert result.ap is None or not len(result.scores)
            continue
        kept = detections.select(detections.scores > point.min_score)
        again = voc_average_precision(annotations, kept, 2)[label]
        assert (again.precision[-1], again.recall[-1]) == pytest.approx((point.precision, point.recall))
        if wanted.value is not None and point.reached:
            assert getattr(point, wanted.goal) >= wanted.value
