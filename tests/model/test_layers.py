import math

import pytest
import torch
from torch import nn

from ssd300.model.layers import BatchNorm, L2Norm, init_fan_in


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


def test_initialization_is_by_fan_in():
    torch.manual_seed(0)
    convolution = nn.Conv2d(64, 128, 3)
    init_fan_in(convolution)
    bound = math.sqrt(3 / (64 * 9))
    assert convolution.weight.abs().max() <= bound
    assert convolution.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert (convolution.bias == 0).all()
