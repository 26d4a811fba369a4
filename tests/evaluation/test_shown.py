import numpy as np
import pytest

from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.evaluation.shown import is_shown, select_shown, shown_from, thresholds_in_words
from ssd300.types import DetectionTable


def test_a_class_without_a_threshold_has_the_usual_one():
    thresholds = shown_from(("cat", "dog"), {"dog": 0.2, "cow": 0.9})
    assert thresholds == {"cat": SHOWN_SCORE, "dog": 0.2}
    labels, scores = np.array([0, 0, 1, 1]), np.array([SHOWN_SCORE, 0.49, 0.2, 0.19])
    assert is_shown(labels, scores, thresholds).tolist() == [True, False, True, False]
    table = DetectionTable(image_index=np.zeros(4, int), labels=labels, scores=scores, boxes_px=np.zeros((4, 4)))
    assert select_shown(table, thresholds).scores.tolist() == [SHOWN_SCORE, 0.2]


def test_nothing_is_shown_of_nothing():
    assert is_shown(np.zeros(0, int), np.zeros(0), {}).shape == (0,)


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ({}, "a confidence of 0.5 or more"),
        ({"cat": 0.25, "dog": 0.25}, "a confidence of 0.25 or more"),
        ({"cat": 0.25, "dog": 0.5}, "a confidence from the threshold of their class (cat 0.25, dog 0.50)"),
        ({f"c{n}": n / 10 for n in range(1, 9)}, "a confidence from the threshold of their class (0.10 to 0.80)"),
    ],
)
def test_the_thresholds_in_words(thresholds, words):
    assert thresholds_in_words(thresholds) == words
