import numpy as np
import pytest
import torch

from ssd300.model.boxes import decode
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.postprocess import postprocess
from ssd300.model.predictions import Predictions
from ssd300.types import Selection

DEFAULTS = make_default_boxes(PAPER)
CLASSES = [f"class {i}" for i in range(4)]


def detect(predictions, **kwargs):
    return postprocess(predictions, DEFAULTS, PAPER.variances, classes=CLASSES, selection=Selection(**kwargs))


def random_predictions(background, seed=0):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 8732, 5, generator=random)
    logits[..., 0] += background
    return Predictions(logits, torch.randn(1, 8732, 4, generator=random) * 0.5)


def exhaustive(predictions, min_score, max_overlap, top_k, per_class):
    """Class by class, candidate by candidate, with all overlaps."""
    scores = predictions.logits[0].softmax(1)[:, 1:]
    boxes = decode(predictions.offsets[0], DEFAULTS, PAPER.variances).double().numpy()
    found = []
    for label in range(scores.shape[1]):
        order = scores[:, label].sort(descending=True, stable=True).indices.numpy()
        order = [i for i in order if scores[i, label] > min_score][:per_class]
        kept = []
        for i in order:
            if kept:
                others = boxes[kept]
                size = np.clip(
                    np.minimum(others[:, 2:], boxes[i, 2:]) - np.maximum(others[:, :2], boxes[i, :2]), 0, None
                )
                shared = size.prod(1)
                union = (others[:, 2:] - others[:, :2]).prod(1) + (boxes[i, 2:] - boxes[i, :2]).prod() - shared
                if (shared / union > max_overlap).any():
                    continue
            kept.append(i)
        found += [(float(scores[i, label]), label, i) for i in kept]
    return sorted(found, key=lambda row: -row[0])[:top_k]


@pytest.mark.parametrize(
    ("background", "per_class"),
    [
        *(pytest.param(background, None, marks=pytest.mark.slow) for background in (0, 3)),
        (6, None),
        (0, 400),
        (3, 50),
        (9, 400),
    ],
)
def test_equals_exhaustive_suppression(background, per_class):
    predictions = random_predictions(background)
    wanted = exhaustive(predictions, 0.01, 0.45, 200, per_class)
    (got,) = detect(predictions, per_class=per_class)
    assert got.labels.tolist() == [label for _, label, _ in wanted]
    np.testing.assert_allclose(got.scores, [score for score, _, _ in wanted], rtol=1e-6)


def test_one_object_by_hand():
    logits = torch.full((2, 8732, 5), -10.0)
    logits[..., 0] = 10
    logits[1, 100, 3] = 30.0
    nothing, something = detect(Predictions(logits, torch.zeros(2, 8732, 4)))
    assert len(nothing) == 0
    assert nothing.boxes.shape == (0, 4)
    assert something.names == ["class 2"]
    np.testing.assert_allclose(something.boxes[0, 2:] - something.boxes[0, :2], DEFAULTS[100, 2:].numpy(), rtol=1e-5)


def row_of_boxes(count):
    """Default boxes (cxcywh) side by side, so that none overlaps another, and logits that find class 0 in each."""
    centers = torch.arange(count, dtype=torch.float32) + 0.5
    logits = torch.zeros(1, count, 2)
    logits[..., 1] = torch.linspace(1, 2, count)
    boxes = torch.stack([centers, torch.zeros(count), torch.full((count,), 0.5), torch.ones(count)], dim=1)
    return boxes, Predictions(logits, torch.zeros(1, count, 4))


@pytest.mark.parametrize(("per_class", "kept"), [({}, 400), ({"per_class": 70}, 70), ({"per_class": None}, 900)])
def test_of_one_class_the_400_best_candidates_are_processed_unless_selected_otherwise(per_class, kept):
    boxes, predictions = row_of_boxes(900)
    (found,) = postprocess(
        predictions, boxes, PAPER.variances, classes=["thing"], selection=Selection(top_k=1000, **per_class)
    )
    assert len(found) == kept
    assert found.boxes[:, 0].min() > 900 - kept  # the scores rise along the row, so the best are the last


@pytest.mark.parametrize(("min_score", "count"), [(0.5, 0), (0.4999, 1), ((0.5,), 0), ((0.4999,), 1)])
def test_a_score_equal_to_the_threshold_is_no_detection(min_score, count):
    equal = Predictions(torch.zeros(1, 1, 2), torch.zeros(1, 1, 4))  # two equal logits: a score of exactly 1/2
    (found,) = postprocess(
        equal, DEFAULTS[:1], PAPER.variances, classes=["thing"], selection=Selection(min_score=min_score)
    )
    assert len(found) == count
