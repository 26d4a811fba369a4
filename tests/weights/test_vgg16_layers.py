import pytest
import torch

from ssd300.model.ssd import CAFFE, IMAGENET
from ssd300.weights.vgg16_layers import decimate, find_vgg16_layers

FIRST = torch.arange(3.0).reshape(1, 3, 1, 1)


def convolutions(prefix):
    return {f"{prefix}0.weight": FIRST, f"{prefix}0.bias": torch.zeros(1)}


@pytest.mark.parametrize(
    ("tensors", "layers", "normalization", "first"),
    [
        (convolutions("features."), {"conv1_1"}, IMAGENET, FIRST),
        (convolutions(""), {"conv1_1"}, IMAGENET, FIRST),
        (
            convolutions("features.")
            | {"classifier.0.weight": torch.full((1,), torch.nan), "classifier.0.bias": torch.full((1,), torch.nan)},
            {"conv1_1"}, CAFFE, FIRST,
        ),
        (
            convolutions("") | {"31.weight": torch.zeros(2, 2, 3, 3), "31.bias": torch.zeros(2)},
            {"conv1_1", "conv6"}, CAFFE, FIRST.flip(1),
        ),
        ({"features.0.weight": FIRST}, set(), IMAGENET, None),  # a layer needs both of its tensors
        ({"something.weight": FIRST}, set(), IMAGENET, None),
    ],
    ids=["torchvision", "its features alone", "features of Caffe", "reducedfc is BGR", "half a layer", "no VGG16"],
)  # fmt: skip
def test_each_kind_of_file_is_recognized(tensors, layers, normalization, first):
    found = find_vgg16_layers(tensors)
    assert found.layers.keys() == layers
    assert found.normalization == normalization
    if first is not None:
        assert torch.equal(found.layers["conv1_1"][0], first)


def test_decimation_takes_every_fourth_row_and_every_third_tap():
    weight, bias = torch.rand(8, 3, 7, 7), torch.arange(8.0)
    fewer, biases = decimate(weight, bias, 3)
    assert torch.equal(fewer, weight[::4, :, ::3, ::3])
    assert biases.tolist() == [0, 4]


def test_decimation_of_the_second_layer_takes_the_inputs_that_the_first_one_left():
    weight = torch.rand(8, 12, 1, 1)
    assert torch.equal(decimate(weight, torch.zeros(8), 1)[0], weight[::4, ::4])
