import math

import pytest
import torch

from ssd300.training.averaging import average_of, averaging_decay


def test_the_average_of_the_weights_by_hand():
    assert [averaging_decay(updates, 0.5) for updates in (0, 5, 8, 1000)] == [0.1, 6 / 15, 0.5, 0.5]
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 4.0)
    average = average_of(model, decay=0.5)
    average.update_parameters(model)  # the first update copies
    torch.nn.init.constant_(model.weight, 0.0)
    average.update_parameters(model)
    assert float(average.module.weight.detach()) == pytest.approx(4.0 * averaging_decay(1, 0.5))


def test_the_exponential_ramp_by_hand():
    assert averaging_decay(0, 0.9, 2000) == 0
    assert averaging_decay(2000, 0.9, 2000) == pytest.approx(0.9 * (1 - math.exp(-1)))
    assert averaging_decay(10**6, 0.9, 2000) == pytest.approx(0.9)
    model = torch.nn.Linear(1, 1, bias=False)
    average = average_of(model, decay=0.9, ramp_steps=1)
    for value in (3.0, 1.0, 0.0):  # the first update copies, then the decays of 1 and 2 updates
        torch.nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    second = 1 + (3 - 1) * averaging_decay(1, 0.9, 1)
    assert float(average.module.weight.detach()) == pytest.approx(second * averaging_decay(2, 0.9, 1))


@pytest.mark.parametrize("ramp_steps", [0, 1, 2000])
def test_a_decay_rises_and_stays_in_its_range(ramp_steps):
    decays = [averaging_decay(updates, 0.9998, ramp_steps) for updates in range(0, 10**5, 100)]
    assert decays == sorted(decays)
    assert 0 <= decays[0] <= decays[-1] <= 0.9998


def test_means_of_batch_normalization_are_averaged_and_its_counts_copied():
    model = torch.nn.BatchNorm1d(1)
    average = average_of(model, decay=0.5)
    average.update_parameters(model)
    model.running_mean.fill_(1.0)
    model.num_batches_tracked.fill_(7)
    average.update_parameters(model)
    assert average.module.running_mean.item() == pytest.approx(1 - averaging_decay(1, 0.5))
    assert average.module.num_batches_tracked.item() == 7


def test_the_average_needs_no_gradient():
    assert not any(parameter.requires_grad for parameter in average_of(torch.nn.Linear(1, 1), decay=0.5).parameters())
