import math

import pytest
import torch
import torch.nn.functional as F

from ssd300.batches import Targets
from ssd300.model.boxes import encode
from ssd300.model.loss import MultiBoxLoss, hard_negatives
from ssd300.model.predictions import Predictions

DEFAULTS = torch.tensor([[0.1 + 0.1 * i, 0.5, 0.2, 0.2] for i in range(8)])
VARIANCES = (0.1, 0.2)
ONE_OBJECT = Targets(boxes=torch.tensor([[[0.0, 0.4, 0.2, 0.6]]]), labels=torch.tensor([[2]]))


def predictions(batch=1, **kwargs):
    return Predictions(torch.zeros(batch, 8, 3, **kwargs), torch.zeros(batch, 8, 4, **kwargs))


def matched(*rows):
    return torch.tensor(rows)


def test_by_hand():
    # Box 0 is matched exactly (offsets 0), three of seven negatives count, all logits are equal.
    losses = MultiBoxLoss(DEFAULTS, VARIANCES)(predictions(), ONE_OBJECT, matched([0] + [-1] * 7))
    assert losses.localization.item() == pytest.approx(0, abs=1e-6)
    assert losses.classification.item() == pytest.approx(4 * math.log(3), rel=1e-6)


def test_localization_is_smooth_l1_summed_over_four_offsets():
    # Box 1 is a width of .1 off: half a default box, so an offset of 5 after the division by .1.
    losses = MultiBoxLoss(DEFAULTS, VARIANCES)(predictions(), ONE_OBJECT, matched([-1, 0] + [-1] * 6))
    assert losses.localization.item() == pytest.approx(5 - 0.5, rel=1e-5)
    mean = MultiBoxLoss(DEFAULTS, VARIANCES, localization="l1_mean")
    assert mean(predictions(), ONE_OBJECT, matched([-1, 0] + [-1] * 6)).localization.item() == pytest.approx(5 / 4)


@pytest.mark.parametrize("objects", [0, 1])
def test_without_positives_the_loss_is_a_finite_zero_with_a_gradient(objects):
    given = Targets(boxes=torch.zeros(2, objects, 4), labels=torch.zeros(2, objects, dtype=torch.int64))
    made = predictions(2, requires_grad=True)
    losses = MultiBoxLoss(DEFAULTS, VARIANCES)(made, given, torch.full((2, 8), -1))
    losses.total.backward()
    assert losses.total.item() == 0
    assert made.logits.grad.abs().sum() == 0


def test_hard_negatives_by_hand():
    logits = torch.zeros(2, 8, 3)
    logits[..., 0] = torch.tensor([0.0, 5, 1, 4, 2, 3, 9, 8])  # great background logit, small loss
    positive = torch.zeros(2, 8, dtype=torch.bool)
    positive[0, 0] = True
    assert hard_negatives(logits, positive, 3).nonzero().tolist() == [[0, 2], [0, 4], [0, 5]]


def test_with_more_positives_than_negatives_all_negatives_count():
    positive = torch.tensor([[True] * 6 + [False] * 2])
    assert hard_negatives(torch.zeros(1, 8, 3), positive, 3).tolist() == [[False] * 6 + [True] * 2]


def test_equals_a_literal_loop_over_images():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 8, 3, generator=random)
    offsets = torch.randn(4, 8, 4, generator=random)
    boxes = torch.tensor([0.1, 0.1, 0.4, 0.5]) + torch.rand(4, 3, 1, generator=random) * 0.3
    targets = Targets(boxes=boxes, labels=torch.randint(1, 3, (4, 3), generator=random))
    assigned = torch.randint(-1, 3, (4, 8), generator=random)
    assigned[2] = -1
    box_loss = class_loss = torch.tensor(0.0)
    for image in range(4):
        labels, positives = [], []
        for box, object_ in enumerate(assigned[image].tolist()):
            labels.append(0 if object_ < 0 else int(targets.labels[image, object_]))
            if object_ >= 0:
                positives.append(box)
                wanted = encode(targets.boxes[image, object_], DEFAULTS[box], VARIANCES)
                box_loss = box_loss + F.smooth_l1_loss(offsets[image, box], wanted, reduction="sum")
        each = F.cross_entropy(logits[image], torch.tensor(labels), reduction="none")
        negatives = sorted((b for b in range(8) if b not in positives), key=lambda b: -each[b])
        for box in positives + negatives[: 3 * len(positives)]:
            class_loss = class_loss + each[box]
    count = int((assigned >= 0).sum())
    losses = MultiBoxLoss(DEFAULTS, VARIANCES)(Predictions(logits, offsets), targets, assigned)
    torch.testing.assert_close(losses.localization, box_loss / count)
    torch.testing.assert_close(losses.classification, class_loss / count)


def test_half_precision_predictions_are_scored_in_float32():
    half = Predictions(*(part.bfloat16() for part in predictions()))
    losses = MultiBoxLoss(DEFAULTS, VARIANCES)(half, ONE_OBJECT, matched([0] + [-1] * 7))
    assert losses.total.dtype == torch.float32
