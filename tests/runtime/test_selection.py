import numpy as np
import pytest
import torch
from hypothesis import given, settings
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
