import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss

from ssd300.model.iou_loss import aligned_iou, ciou_loss, giou_loss

UNIT = [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("box", "wanted", "iou", "giou", "ciou"),
    [
        (UNIT, UNIT, 1, 0, 0),
        ([0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.5, 1.0], 1 / 3, 1 - 1 / 3 + 0.25, None),
        ([1.0, 0.0, 2.0, 1.0], UNIT, 0, 1, 1 + 1 / 5),  # side by side: nothing of the enclosing box is empty
        ([2.0, 0.0, 3.0, 1.0], UNIT, 0, 1 + 1 / 3, 1 + 4 / 10),  # one width apart
        ([-1.0, -1.0, 2.0, 2.0], UNIT, 1 / 9, 8 / 9, 8 / 9),  # the same center and shape
        ([0.0, 0.0, 1.0, 0.0], UNIT, 0, 1, None),  # an empty prediction
    ],
)
def test_by_hand(box, wanted, iou, giou, ciou):
    boxes, target = torch.tensor([box]), torch.tensor([wanted])
    assert aligned_iou(boxes, target).item() == pytest.approx(iou)
    assert giou_loss(boxes, target).item() == pytest.approx(giou)
    if ciou is not None:
        assert ciou_loss(boxes, target).item() == pytest.approx(ciou)


def test_the_shape_of_ciou_by_hand():
    """A box twice as wide as high on a square with the same center: IoU 1/2, no distance, and the angles differ."""
    boxes, wanted = torch.tensor([[-0.5, 0.0, 1.5, 1.0]]), torch.tensor([UNIT])
    shape = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2
    assert ciou_loss(boxes, wanted).item() == pytest.approx(1 - 0.5 + shape * shape / (1 - 0.5 + shape))


def random_boxes(seed, count=200):
    random = torch.Generator().manual_seed(seed)
    low = torch.rand(count, 2, generator=random, dtype=torch.float64)
    return torch.cat([low, low + torch.rand(count, 2, generator=random, dtype=torch.float64) * 0.5 + 0.01], dim=1)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(giou_loss, generalized_box_iou_loss), (ciou_loss, complete_box_iou_loss)]
)
def test_losses_and_gradients_equal_torchvisions(ours, theirs):
    """In pixels of a large image, where what torchvision adds against a division by 0 is nothing."""
    wanted, results = random_boxes(1) * 1e4, []
    for loss in (ours, theirs):
        boxes = (random_boxes(0) * 1e4).requires_grad_()
        losses = loss(boxes, wanted)
        losses.sum().backward()
        results.append((losses.detach(), boxes.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-6, atol=1e-9)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_a_loss_is_in_its_range_and_the_same_at_any_scale_and_place(seed, scale):
    boxes, wanted = random_boxes(seed, 5), random_boxes(seed + 1, 5)
    for loss, most in ((giou_loss, 2.0), (ciou_loss, 3.0)):
        values = loss(boxes, wanted)
        assert ((values >= 0) & (values < most)).all()
        torch.testing.assert_close(loss(boxes * scale + scale, wanted * scale + scale), values)
        torch.testing.assert_close(loss(wanted, wanted), torch.zeros(5, dtype=torch.float64))


@pytest.mark.parametrize("loss", [giou_loss, ciou_loss])
def test_no_boxes_give_no_losses(loss):
    assert loss(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)
