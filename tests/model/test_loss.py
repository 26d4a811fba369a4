import math

import pytest
import torch
import torch.nn.functional as F

from ssd300.batches import Targets
from ssd300.model.boxes import cxcywh_to_xyxy, decode, encode
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


@pytest.mark.parametrize(("localization", "each"), [("giou", 1 - 1 / 3), ("ciou", 1 - 1 / 3 + 0.01 / 0.13)])
def test_an_iou_loss_is_that_of_the_decoded_box(localization, each):
    # Boxes 1 and the object are .1 of .2 apart, the box around both is .3 x .2; offsets 0 decode to the default box.
    loss = MultiBoxLoss(DEFAULTS, VARIANCES, localization=localization)
    losses = loss(predictions(), ONE_OBJECT, matched([-1, 0] + [-1] * 6))
    assert losses.localization.item() == pytest.approx(each, rel=1e-5)
    exact = Predictions(
        predictions().logits, encode(ONE_OBJECT.boxes[0].expand(8, 4), DEFAULTS, VARIANCES)[None].requires_grad_()
    )
    assert loss(exact, ONE_OBJECT, matched([0] * 8)).localization.item() == pytest.approx(0, abs=1e-5)


@pytest.mark.slow
def test_a_descent_on_an_iou_loss_reaches_the_object():
    for localization in ("giou", "ciou"):
        offsets = torch.zeros(1, 8, 4, requires_grad=True)
        loss = MultiBoxLoss(DEFAULTS, VARIANCES, localization=localization)
        optimizer = torch.optim.Adam([offsets], lr=0.05)
        for _ in range(600):
            optimizer.zero_grad()
            loss(
                Predictions(torch.zeros(1, 8, 3), offsets), ONE_OBJECT, matched([-1] * 4 + [0, -1, -1, -1])
            ).total.backward()
            optimizer.step()
        found = decode(offsets[0, 4].detach(), DEFAULTS[4], VARIANCES)
        torch.testing.assert_close(found, ONE_OBJECT.boxes[0, 0], atol=0.03, rtol=0)
        torch.testing.assert_close(decode(offsets[0, 5].detach(), DEFAULTS[5], VARIANCES), cxcywh_to_xyxy(DEFAULTS[5]))


def test_pisa_by_hand():
    """Boxes 0 and 1 are matched to one object; the first fits it. With all logits equal each score is 1/3."""
    equal, pisa = (
        MultiBoxLoss(DEFAULTS, VARIANCES, weighting=weighting)(predictions(), ONE_OBJECT, matched([0, 0] + [-1] * 6))
        for weighting in ("equal", "pisa")
    )
    assert pisa.classification.item() == pytest.approx(equal.classification.item())  # the sum is as before
    assert pisa.localization.item() == pytest.approx(
        2 * equal.localization.item()
    )  # equal scores: CARL is a second one


def test_pisa_moves_the_class_gradient_to_the_box_that_fits():
    made = predictions(requires_grad=True)
    losses = MultiBoxLoss(DEFAULTS, VARIANCES, weighting="pisa")(made, ONE_OBJECT, matched([0, 0] + [-1] * 6))
    losses.classification.backward()
    fits, does_not = made.logits.grad[0, :2, 2].tolist()
    assert fits == pytest.approx(4 * does_not)  # ranks 0 and 1 of 2, so 1 and 1/2, squared
    assert made.offsets.grad is None


def test_the_weight_of_the_box_loss_leaves_the_class_loss():
    one, two = (
        MultiBoxLoss(DEFAULTS, VARIANCES, box_weight=weight)(predictions(), ONE_OBJECT, matched([-1, 0] + [-1] * 6))
        for weight in (1.0, 2.0)
    )
    assert two.localization == 2 * one.localization
    assert two.classification == one.classification


def papers_loss(predictions, targets, matched, reduce_boxes):
    """The loss as it was before there were choices, in as few words: for a comparison bit for bit."""
    positive = matched >= 0
    image, box = torch.nonzero(positive, as_tuple=True)
    object_ = matched[image, box]
    wanted = encode(targets.boxes[image, object_], DEFAULTS[box], VARIANCES)
    labels = torch.zeros_like(matched)
    labels[image, box] = targets.labels[image, object_]
    chosen = positive | hard_negatives(predictions.logits, positive, 3)
    classes = F.cross_entropy(predictions.logits[chosen], labels[chosen], reduction="sum")
    count = positive.sum().float()
    return reduce_boxes(predictions.offsets[image, box], wanted) / count, classes / count


@pytest.mark.parametrize(
    ("localization", "reduce_boxes"),
    [
        ("smooth_l1", lambda offsets, wanted: F.smooth_l1_loss(offsets, wanted, reduction="sum")),
        ("l1_mean", lambda offsets, wanted: F.l1_loss(offsets, wanted, reduction="sum") / 4),
    ],
)
def test_without_a_choice_loss_and_gradient_are_the_papers_bit_for_bit(localization, reduce_boxes):
    random = torch.Generator().manual_seed(0)
    boxes = torch.tensor([0.1, 0.1, 0.4, 0.5]) + torch.rand(64, 3, 1, generator=random) * 0.3
    targets = Targets(boxes=boxes, labels=torch.randint(1, 3, (64, 3), generator=random))
    assigned = torch.randint(-1, 3, (64, 8), generator=random)
    results = []
    for loss in (
        MultiBoxLoss(DEFAULTS, VARIANCES, localization=localization),
        lambda *given: papers_loss(*given, reduce_boxes),
    ):
        random.manual_seed(1)
        logits = torch.randn(64, 8, 3, generator=random).requires_grad_()
        offsets = torch.randn(64, 8, 4, generator=random).requires_grad_()
        box_loss, class_loss = loss(Predictions(logits, offsets), targets, assigned)
        (box_loss + class_loss).backward()
        results.append((box_loss, class_loss, logits.grad, offsets.grad))
    for ours, papers in zip(*results, strict=True):
        assert torch.equal(ours, papers)


@pytest.mark.parametrize("weighting", ["equal", "pisa"])
@pytest.mark.parametrize("localization", ["smooth_l1", "giou", "ciou"])
@pytest.mark.parametrize("objects", [0, 1])
def test_without_positives_the_loss_is_a_finite_zero_with_a_gradient(objects, localization, weighting):
    given = Targets(boxes=torch.zeros(2, objects, 4), labels=torch.zeros(2, objects, dtype=torch.int64))
    made = predictions(2, requires_grad=True)
    loss = MultiBoxLoss(DEFAULTS, VARIANCES, localization=localization, weighting=weighting)
    losses = loss(made, given, torch.full((2, 8), -1))
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
