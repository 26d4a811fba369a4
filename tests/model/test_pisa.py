import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.model.pisa import CARL_FLOOR, carl_weights, isr_weights, ranks


def test_ranks_are_within_groups_and_the_first_of_equals_leads():
    values, groups = torch.tensor([0.1, 0.9, 0.5, 0.5, 0.7, 0.5]), torch.tensor([3, 0, 3, 0, 0, 3])
    assert ranks(values, groups).tolist() == [2, 0, 0, 2, 1, 1]
    assert ranks(torch.zeros(0), torch.zeros(0, dtype=torch.int64)).tolist() == []


def test_the_weights_of_isr_by_hand():
    """Class 1 has objects 0 (IoUs .9, .8) and 1 (IoUs .3, .2): the best of each come first, so .9, .3, .8, .2."""
    iou = torch.tensor([0.8, 0.9, 0.2, 0.3, 0.0])
    labels, objects = torch.tensor([1, 1, 1, 1, 2]), torch.tensor([0, 0, 1, 1, 2])
    shares = torch.tensor([2 / 4, 4 / 4, 1 / 4, 3 / 4, 4 / 4]) ** 2
    losses = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    wanted = shares * losses.sum() / (shares * losses).sum()
    torch.testing.assert_close(isr_weights(iou, labels, objects, losses), wanted)


def test_an_iou_of_0_of_a_best_box_is_before_an_iou_of_1_of_a_second_one():
    iou, objects = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0, 0, 1])
    weights = isr_weights(iou, torch.ones(3, dtype=torch.int64), objects, torch.ones(3))
    assert weights.argsort(descending=True).tolist() == [0, 2, 1]


@given(st.integers(0, 10_000), st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_weights_leave_the_sum_of_the_class_losses_and_the_number_of_box_losses(seed, count):
    random = torch.Generator().manual_seed(seed)
    iou, losses = torch.rand(count, generator=random), torch.rand(count, generator=random)
    labels, objects = (torch.randint(1, 4, (count,), generator=random) for _ in range(2))
    weights = isr_weights(iou, labels, objects * 10 + labels, losses)
    torch.testing.assert_close((weights * losses).sum(), losses.sum())
    assert (weights >= 0).all()
    torch.testing.assert_close(carl_weights(iou).sum(), torch.tensor(float(count)))


def test_the_weights_of_carl_by_hand_and_a_badly_placed_box_lowers_its_score():
    scores = torch.tensor([0.0, 1.0], requires_grad=True)
    weights = carl_weights(scores)
    torch.testing.assert_close(weights, torch.tensor([CARL_FLOOR, 1.0]) * 2 / (1 + CARL_FLOOR))
    (weights * torch.tensor([3.0, 1.0])).sum().backward()  # the box loss of the first is the greater one
    assert scores.grad[0] > 0
    assert scores.grad[1] < 0


def test_losses_of_0_are_no_division_by_0():
    weights = isr_weights(torch.tensor([0.5]), torch.tensor([1]), torch.tensor([0]), torch.zeros(1))
    assert torch.isfinite(weights).all()
    assert weights.tolist() == pytest.approx([0.0])
