import pytest
import torch

from ssd300.model.depthwise import DepthwiseConv2d
from ssd300.model.relu6 import ReLU6
from ssd300.model.separable import depthwise, pointwise, separable


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "wanted"), [(3, 1, 7, 7), (5, 1, 4, 4), (5, 2, 7, 4), (3, 2, 8, 4)]
)
def test_there_are_as_many_cells_divided_by_the_stride_and_rounded_up(kernel, stride, size, wanted):
    layers = separable(3, 5, kernel, stride=stride).eval()
    assert layers(torch.rand(2, 3, size, size)).shape == (2, 5, wanted, wanted)


def test_without_padding_a_border_is_taken_off():
    assert depthwise(3, padding=0).eval()(torch.rand(2, 3, 5, 5)).shape == (2, 3, 3, 3)


def test_the_layers_are_those_that_are_fast_in_training():
    kinds = [type(layer) for layer in separable(3, 5).modules() if not list(layer.children())]
    assert (kinds.count(DepthwiseConv2d), kinds.count(ReLU6)) == (1, 2)
    assert not any(isinstance(layer, ReLU6) for layer in pointwise(3, 5, activated=False))


def test_a_single_image_with_a_map_of_one_cell_is_trained_on():
    assert separable(3, 5).train()(torch.rand(1, 3, 1, 1)).shape == (1, 5, 1, 1)
