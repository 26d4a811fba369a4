import torch

from ssd300.model.predictions import Losses


def test_the_total_is_the_sum_of_both_parts():
    assert Losses(localization=torch.tensor(1.5), classification=torch.tensor(2.0)).total.item() == 3.5
