import math

import pytest
import torch
from torch import nn

from ssd300.model.layers import BatchNorm, Conv2d, L2Norm, init_fan_in


def test_l2_norm_by_hand():
    ones = L2Norm(8)(torch.ones(1, 8, 1, 1))
    torch.testing.assert_close(ones, torch.full((1, 8, 1, 1), 20 / math.sqrt(8)))


def test_l2_norm_survives_a_location_of_zeros():
    features = torch.zeros(1, 8, 2, 2, requires_grad=True)
    L2Norm(8)(features).sum().backward()
    assert torch.isfinite(features.grad).all()


def test_l2_norm_of_half_precision_does_not_overflow():
    half = L2Norm(8)(torch.full((1, 8, 1, 1), 1000.0, dtype=torch.float16))  # squared it is above 65,504
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), torch.full((1, 8, 1, 1), 20 / math.sqrt(8)), rtol=1e-3, atol=0)


def test_batch_norm_trains_on_a_single_value_with_its_running_statistics():
    norm = BatchNorm(1).train()
    norm.running_mean.fill_(1.0)
    norm.running_var.fill_(4.0)
    torch.testing.assert_close(norm(torch.full((1, 1, 1, 1), 5.0)), torch.full((1, 1, 1, 1), 2.0))  # (5 - 1) / 2
    assert norm.running_mean.item() == 1.0


def test_batch_norm_of_several_values_is_torchs():
    features = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(BatchNorm(3).train()(features), nn.BatchNorm2d(3).train()(features))


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), (3, 1, 1), (3, 1, 0), (4, 1, 1), (5, 2, 2)])
@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
def test_a_convolution_to_one_cell_has_the_gradient_of_its_numbers_and_not_of_what_was_in_memory(
    side, kernel, stride, padding
):
    if side + 2 * padding < kernel:
        return
    torch.manual_seed(0)
    images = torch.randn(3, 32, side, side).bfloat16()
    layer = Conv2d(32, 32, kernel, stride, padding).bfloat16().to(memory_format=torch.channels_last)
    exact = nn.Conv2d(32, 32, kernel, stride, padding).double()
    exact.load_state_dict(layer.state_dict())
    found, expected = layer(images), exact(images.double())
    torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0.02)
    with torch.no_grad():
        torch.testing.assert_close(layer(images), found, rtol=0.02, atol=0.02)
    expected.sum().backward()
    for _ in range(3):
        layer.zero_grad()
        found = layer(images)
        left = [torch.full((2**power,), torch.nan) for power in range(8, 20) for _ in range(4)]
        del left
        found.sum().backward()
        torch.testing.assert_close(layer.weight.grad.double(), exact.weight.grad, rtol=0.02, atol=0.05)


def test_initialization_is_by_fan_in():
    torch.manual_seed(0)
    convolution = nn.Conv2d(64, 128, 3)
    init_fan_in(convolution)
    bound = math.sqrt(3 / (64 * 9))
    assert convolution.weight.abs().max() <= bound
    assert convolution.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert (convolution.bias == 0).all()
