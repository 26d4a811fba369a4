import copy

import pytest
import torch
from torch import nn

from ssd300.errors import UsageError
from ssd300.model import SSD
from ssd300.training.averaging import average_of
from ssd300.training.frozen_norms import freeze_norms


class Toy(SSD):
    """A backbone with two norms, of which a start fills the first, and one norm behind it."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.backbone = nn.Sequential(nn.BatchNorm1d(1), nn.BatchNorm1d(1))
        self.extras = nn.BatchNorm1d(1)

    def forward(self, values):
        return self.extras(self.backbone(values))


FILLED = ("backbone.0", "extras")


def test_only_the_norms_of_the_backbone_that_the_start_filled_keep_their_statistics():
    model = Toy()
    freeze_norms(model, FILLED)
    model.eval()
    model.train()  # as after an evaluation
    before = copy.deepcopy(model.state_dict())
    model(torch.tensor([[1.0], [5.0]])).square().sum().backward()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.rsplit(".", 1)[0] for name in changed} == {"backbone.1", "extras"}
    assert model.backbone[0].weight.grad is not None, "scales and biases are still trained"


def test_a_frozen_norm_uses_its_running_statistics_by_hand():
    model = Toy()
    model.backbone[0].running_mean.fill_(1.0)
    model.backbone[0].running_var.fill_(4.0)
    freeze_norms(model, FILLED)
    torch.testing.assert_close(
        model.train().backbone[0](torch.tensor([[5.0]])), torch.tensor([[2.0]]), rtol=1e-5, atol=0
    )


def test_the_average_of_frozen_statistics_is_themselves_and_its_copy_has_a_mode_of_its_own():
    model = Toy()
    model.backbone[0].running_mean.fill_(0.3)
    freeze_norms(model, FILLED)
    average = average_of(model, decay=0.9)
    for _ in range(3):
        model(torch.randn(4, 1))
        average.update_parameters(model)
    assert torch.equal(average.module.backbone[0].running_mean, model.backbone[0].running_mean)
    assert average.module.train().backbone[0].train() is average.module.backbone[0]


def test_a_start_without_batch_normalization_is_refused():
    with pytest.raises(UsageError, match="no batch normalization to freeze"):
        freeze_norms(Toy(), ("extras",))
