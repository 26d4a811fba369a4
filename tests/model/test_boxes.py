import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.model.boxes import area, cxcywh_to_xyxy, decode, encode, pairwise_iou, xyxy_to_cxcywh

VARIANCES = (0.1, 0.2)
coordinate = st.floats(0, 1, width=32)
size = st.floats(2**-10, 1, width=32)
box_cxcywh = st.tuples(coordinate, coordinate, size, size)


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7),
        ((0, 0, 1, 1), (0, 0, 1, 1), 1.0),
        ((0, 0, 1, 1), (1, 0, 2, 1), 0.0),  # they touch
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),  # empty
        ((0, 0, 4, 4), (1, 1, 2, 2), 1 / 16),
    ],
)
def test_iou_by_hand(a, b, iou):
    got = pairwise_iou(torch.tensor([a]).float(), torch.tensor([b]).float())
    torch.testing.assert_close(got, torch.tensor([[iou]]))


@given(box_cxcywh, box_cxcywh)
@settings(max_examples=50, deadline=None)
def test_decode_is_the_inverse_of_encode(box, default_box):
    boxes, defaults = torch.tensor([box]).double(), torch.tensor([default_box]).double()
    corners = cxcywh_to_xyxy(boxes)
    torch.testing.assert_close(xyxy_to_cxcywh(corners), boxes)
    torch.testing.assert_close(decode(encode(corners, defaults, VARIANCES), defaults, VARIANCES), corners)


def test_iou_of_a_batch_is_that_of_each_image():
    random = torch.Generator().manual_seed(0)
    low = torch.rand(3, 2, 2, generator=random)
    a, b = torch.cat([low, low + 0.5], dim=-1), torch.tensor([[0.2, 0.2, 0.9, 0.8], [0.0, 0.0, 0.1, 0.1]])
    before = a.clone(), b.clone()
    assert pairwise_iou(a, b).shape == (3, 2, 2)
    assert torch.equal(pairwise_iou(a, b), torch.stack([pairwise_iou(image, b) for image in a]))
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])
    assert pairwise_iou(torch.zeros(3, 0, 4), b).shape == (3, 0, 2)


def test_area_by_hand():
    assert area(torch.tensor([[[0.0, 1.0, 2.0, 4.0]], [[1.0, 1.0, 1.0, 5.0]]])).tolist() == [[6.0], [0.0]]


def test_encode_by_hand():
    default = torch.tensor([[0.5, 0.5, 0.2, 0.4]])
    box = torch.tensor([[0.5, 0.3, 0.7, 0.7]])  # center (.6, .5), size (.2, .4)
    torch.testing.assert_close(encode(box, default, VARIANCES), torch.tensor([[5.0, 0.0, 0.0, 0.0]]))
