import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ssd300.model.postprocess import postprocess
from ssd300.model.predictions import Predictions
from ssd300.runtime.selection import select_detections
from ssd300.types import Selection

CLASSES = ("a", "b", "c")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0, 1, 40, 3000]),
    st.sampled_from([0.01, 0.3, (0.01, 0.5, 0.9), 1.0]),
    st.sampled_from([0.0, 0.45, 1.0]),
    st.sampled_from([1, 200]),
    st.sampled_from([None, 5, 400]),
)
def test_numpy_chooses_what_torch_chooses(seed, boxes, min_score, max_overlap, top_k, per_class):
    torch.manual_seed(seed)
    logits, offsets = torch.randn(1, boxes, 4) * 3, torch.randn(1, boxes, 4)
    defaults = torch.rand(boxes, 4) * 0.5 + 0.1
    selection = Selection(min_score=min_score, max_overlap=max_overlap, top_k=top_k, per_class=per_class)
    (wanted,) = postprocess(Predictions(logits, offsets), defaults, (0.1, 0.2), classes=CLASSES, selection=selection)
    from ssd300.model.boxes import decode

    decoded, scores = decode(offsets[0], defaults, (0.1, 0.2)).numpy(), logits[0].softmax(1)[:, 1:].numpy()
    # Of equal scores of a class either may be first, and then others are suppressed.
    assume(all(len(np.unique(of_class)) == boxes for of_class in scores.T))
    got = select_detections(decoded, scores, classes=CLASSES, selection=selection)
    np.testing.assert_array_equal(got.scores, wanted.scores)
    alone = np.diff(got.scores, prepend=2) < 0
    alone &= np.diff(got.scores, append=-1) < 0
    if len(got) == top_k and len(got):
        alone[-1] = False  # it may have an equal that was left out
    np.testing.assert_array_equal(got.labels[alone], wanted.labels[alone])  # of equal scores either may be first
    np.testing.assert_array_equal(got.boxes[alone], wanted.boxes[alone])


def test_scores_for_other_classes_are_refused():
    with pytest.raises(ValueError, match="2 values for 3 classes"):
        select_detections(
            np.zeros((1, 4), np.float32), np.zeros((1, 3), np.float32), classes=CLASSES,
            selection=Selection(min_score=(0.1, 0.2)),
        )  # fmt: skip


@pytest.mark.parametrize(("per_class", "kept"), [({}, 400), ({"per_class": 70}, 70), ({"per_class": None}, 900)])
def test_of_one_class_the_400_best_candidates_are_processed_unless_selected_otherwise(per_class, kept):
    left = np.arange(900, dtype=np.float32)
    boxes = np.stack([left, left * 0, left + 0.5, left * 0 + 1], axis=1)  # side by side: none overlaps another
    scores = np.linspace(0.5, 0.9, 900, dtype=np.float32)[:, None]
    found = select_detections(boxes, scores, classes=("thing",), selection=Selection(top_k=1000, **per_class))
    assert len(found) == kept
    assert found.boxes[:, 0].min() == 900 - kept  # the scores rise along the row, so the best are the last


@pytest.mark.parametrize(("min_score", "count"), [(0.5, 0), (0.4999, 1), ((0.5,), 0), ((0.4999,), 1)])
def test_a_score_equal_to_the_threshold_is_no_detection(min_score, count):
    boxes, scores = np.array([[0, 0, 1, 1]], np.float32), np.array([[0.5]], np.float32)
    found = select_detections(boxes, scores, classes=("thing",), selection=Selection(min_score=min_score))
    assert len(found) == count
