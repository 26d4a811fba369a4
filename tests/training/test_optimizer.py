import pytest
import torch
from torch import nn

from ssd300.model import ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.training.optimizer import make_optimizer, set_learning_rate


def test_biases_learn_twice_as_fast_and_do_not_decay():
    optimizer = make_optimizer(ssd300_vgg16(2), momentum=0.9, weight_decay=5e-4)
    set_learning_rate(optimizer, 1e-3)
    by_decay = {group["weight_decay"]: group for group in optimizer.param_groups}
    assert by_decay[5e-4]["lr"] == 1e-3
    assert by_decay[0.0]["lr"] == 2e-3
    assert all(parameter.ndim == 1 for parameter in by_decay[0.0]["params"])


def test_a_model_with_batch_normalization_has_a_third_group_and_no_parameter_is_missing():
    light = ssd300_efficientnet_lite0(2)
    groups = make_optimizer(light, momentum=0.9, weight_decay=5e-4).param_groups
    assert [(group["weight_decay"], group["rate"]) for group in groups] == [(5e-4, 1.0), (0.0, 1.0), (0.0, 2.0)]
    assert sum(len(group["params"]) for group in groups) == len(list(light.parameters()))


def test_a_rate_of_the_backbone_multiplies_its_groups_alone():
    light = ssd300_efficientnet_lite0(2)
    usual = make_optimizer(light, momentum=0.9, weight_decay=5e-4, backbone=light.backbone).param_groups
    groups = make_optimizer(
        light, momentum=0.9, weight_decay=5e-4, backbone=light.backbone, backbone_rate=0.1
    ).param_groups
    assert len(usual) == 3
    assert [(group["weight_decay"], group["rate"]) for group in groups] == [
        (5e-4, 0.1), (5e-4, 1.0), (0.0, 0.1), (0.0, 1.0), (0.0, 0.2), (0.0, 2.0),
    ]  # fmt: skip
    slow = {one for group in groups[::2] for one in group["params"]}
    assert slow == set(light.backbone.parameters())
    assert sum(len(group["params"]) for group in groups) == len(list(light.parameters()))


def test_weight_decay_acts_on_biases_only_by_pytorch_ssd300s_rule():
    model = nn.Linear(1, 1)
    for decay_biases, decay in ((False, 0.0), (True, 0.5)):
        groups = make_optimizer(model, momentum=0.9, weight_decay=0.5, decay_biases=decay_biases).param_groups
        assert [group["weight_decay"] for group in groups] == [0.5, decay]


def test_three_steps_with_momentum_by_hand():
    """With gradient 1, rate .1 and momentum .5 the velocity is 1, 1.5, 1.75; the bias moves twice as fast."""
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = make_optimizer(model, momentum=0.5, weight_decay=0.0)
    set_learning_rate(optimizer, 0.1)
    places = []
    for _ in range(3):
        model.weight.grad, model.bias.grad = torch.ones(1, 1), torch.ones(1)
        optimizer.step()
        places.append((model.weight.item(), model.bias.item()))
    assert places == [pytest.approx(pair) for pair in ((-0.1, -0.2), (-0.25, -0.5), (-0.425, -0.85))]


def test_weight_decay_pulls_weights_to_zero_by_hand():
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = make_optimizer(model, momentum=0.9, weight_decay=0.5)
    set_learning_rate(optimizer, 0.1)
    model.weight.grad = torch.zeros(1, 1)
    optimizer.step()
    assert model.weight.item() == pytest.approx(1 - 0.1 * 0.5)


def test_adamw_has_one_rate_and_decays_weights_alone():
    light = ssd300_efficientnet_lite0(2)
    groups = make_optimizer(light, kind="adamw", momentum=0.9, weight_decay=0.05).param_groups
    assert [(group["weight_decay"], group["rate"]) for group in groups] == [(0.05, 1.0), (0.0, 1.0), (0.0, 1.0)]


def test_the_first_step_of_adamw_by_hand():
    """It decays by rate times decay, then goes by the rate, whatever the length of the gradient."""
    model = nn.Linear(1, 1)
    nn.init.ones_(model.weight)
    nn.init.ones_(model.bias)
    optimizer = make_optimizer(model, kind="adamw", momentum=0.0, weight_decay=0.5)
    set_learning_rate(optimizer, 0.1)
    model.weight.grad, model.bias.grad = torch.full((1, 1), 7.0), torch.full((1,), -3.0)
    optimizer.step()
    assert model.weight.item() == pytest.approx(1 - 0.1 * 0.5 - 0.1)
    assert model.bias.item() == pytest.approx(1 + 0.1)
