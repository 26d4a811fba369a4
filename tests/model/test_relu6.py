"""Our ReLU6 has the numbers and gradients of torch's, and hides no NaN from the run."""

import pytest
import torch
from torch import nn

from ssd300.model.fast_layers import use_fast_layers
from ssd300.model.relu6 import ReLU6

EDGES = [-torch.inf, -7.0, -0.0, 0.0, 1e-30, 3.0, 5.96875, 6.0, 6.03125, 100.0, torch.inf]


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_numbers_and_gradients_are_those_of_torch(precision):
    torch.manual_seed(0)
    features = torch.cat([torch.tensor(EDGES), torch.randn(500) * 5]).to(precision)
    direction = torch.randn(len(features)).to(precision)
    found, wanted = [], []
    for layer, results in ((ReLU6(), found), (nn.ReLU6(inplace=True), wanted)):
        leaf = features.clone().requires_grad_()
        clamped = layer(leaf * 1)
        clamped.backward(direction)
        results.extend([clamped.detach(), leaf.grad])
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.dtype == precision
        assert torch.equal(mine, theirs)


def test_maps_in_channels_last_are_clamped_in_place():
    features = (torch.randn(2, 3, 4, 5) * 9).contiguous(memory_format=torch.channels_last)
    given = features.clone(memory_format=torch.preserve_format)
    assert ReLU6()(given) is given
    assert torch.equal(given, features.clamp(0, 6))


def test_a_nan_is_in_the_gradient_of_the_layer_before():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), ReLU6())
    images = torch.randn(2, 1, 4, 4)
    images[0, 0, 0, 0] = torch.nan
    network(images).sum().backward()
    assert network[0].weight.grad.isnan().all()


def test_it_takes_the_place_of_torchs_where_that_is_in_place():
    network = nn.Sequential(nn.ReLU6(inplace=True), nn.ReLU6(), nn.Hardtanh(inplace=True))
    use_fast_layers(network)
    assert [type(layer) for layer in network] == [ReLU6, nn.ReLU6, nn.Hardtanh]
