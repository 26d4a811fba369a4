from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.detection.defaults import MEASURE, Measure
from ssd300.detection.uncertainty import (
    CANDIDATE_MIN_SCORE,
    flip_disagreement,
    mean_entropy,
    mirrored,
    near_threshold,
    summed_entropy,
    uncertainty,
)
from ssd300.types import Detections

WIDTH = 100


def found(*rows):
    """Detections of rows (score, label, box)."""
    rows = sorted(rows, key=lambda row: -row[0])
    return Detections(
        boxes=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        scores=np.array([row[0] for row in rows], np.float32),
        labels=np.array([row[1] for row in rows], np.int64),
        classes=("cat", "dog"),
    )


A, B = (0, 0, 10, 10), (50, 0, 60, 10)


def test_entropy_in_bits_by_hand():
    scores = np.array([0.5, 0.25, 1.0, 0.0])
    assert summed_entropy(scores) == pytest.approx(1 + 0.811278124459, abs=1e-9)  # H(1/4) = 2 - 3/4 log2 3
    assert mean_entropy(scores) == pytest.approx(1.811278124459 / 4, abs=1e-9)


def test_scores_near_the_threshold_of_their_class_are_counted_both_ends_included():
    assert near_threshold(np.array([0.5, 0.4, 0.39, 0.75, 0.3]), np.array([0.5, 0.5, 0.5, 0.5, 0.25])) == 3


def test_nothing_is_sure_of_nothing():
    empty = found()
    assert summed_entropy(empty.scores) == mean_entropy(empty.scores) == 0
    assert flip_disagreement(empty, empty) == 0
    assert flip_disagreement(empty, found((0.5, 0, A))) == 1


def test_the_disagreement_under_a_flip_by_hand():
    assert flip_disagreement(found((0.5, 0, A), (0.25, 1, B)), found((0.5, 0, A), (0.25, 1, B))) == 0
    assert flip_disagreement(found((0.5, 0, A)), found((0.5, 1, A))) == 1  # another class
    # One pair: IoU 1/3, min 0.5; the rest alone. S = 1/6, A + B - M = (0.5 + 0.25) + 0.75 - 0.5 = 1.
    one, other = found((0.5, 0, A), (0.25, 1, B)), found((0.75, 0, (5, 0, 15, 10)))
    assert flip_disagreement(one, other) == pytest.approx(5 / 6, abs=1e-7)
    # Each detection has one partner: two boxes at one place against one are a pair and a single one.
    assert flip_disagreement(found((0.5, 0, A), (0.5, 0, A)), found((0.5, 0, A))) == pytest.approx(0.5)


def test_a_mirror_image_has_its_boxes_on_the_other_side_and_turned_twice_it_is_the_image():
    one = found((0.5, 0, (10, 20, 30, 40)))
    turned = mirrored(one, WIDTH)
    assert turned.boxes.tolist() == [[70, 20, 90, 40]]
    assert mirrored(turned, WIDTH).boxes.tolist() == one.boxes.tolist()
    assert one.boxes.tolist() == [[10, 20, 30, 40]]


def test_only_candidates_count_and_the_name_chooses_the_measure():
    one = found((0.5, 0, A), (CANDIDATE_MIN_SCORE - 0.01, 0, B))
    assert uncertainty("entropy", one, [0.2, 0.2]) == 1
    assert uncertainty("mean-entropy", one, [0.2, 0.2]) == 1
    assert uncertainty("near-threshold", one, [0.55, 0.05]) == 1
    assert uncertainty("flip", one, [0.2, 0.2], found((0.5, 0, A), (0.05, 1, B))) == 0
    assert MEASURE in get_args(Measure)


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="'flip'; it needs the detections of the mirror image"):
        uncertainty("flip", found(), [0.2, 0.2])


rows = st.lists(
    st.tuples(
        st.floats(0, 1, width=32),
        st.integers(0, 1),
        st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(41, 100)] * 2),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_the_disagreement_is_a_share_equal_from_both_sides_and_nothing_with_itself(one, other):
    value = flip_disagreement(found(*one), found(*other))
    assert 0 <= value <= 1
    assert flip_disagreement(found(*one), found(*one)) == pytest.approx(0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_each_measure_stays_in_its_range(some):
    one = found(*some)
    n = len(one)
    assert 0 <= uncertainty("entropy", one, [0.2, 0.3]) <= n + 1e-9
    assert 0 <= uncertainty("mean-entropy", one, [0.2, 0.3]) <= 1 + 1e-9
    assert uncertainty("near-threshold", one, [0.2, 0.3]) in range(n + 1)
