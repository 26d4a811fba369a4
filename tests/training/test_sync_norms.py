import copy
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from ssd300.errors import UsageError
from ssd300.model.layers import BatchNorm
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE, World
from ssd300.training.frozen_norms import keep_statistics
from ssd300.training.presets import PRESETS
from ssd300.training.sync_norms import sync_norms
from training.torchrun import torchrun


@dataclass(frozen=True)
class Lonely(World):
    """The only one of two processes that has images."""

    size: int = 2

    def stacked(self, value):
        return torch.stack([value, torch.zeros_like(value)])

    def sum(self, value):
        return value


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, BatchNorm, BatchNormAct2d])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-12), (torch.float32, 2e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_with_the_images_of_one_process_it_is_the_plain_layer(kind, dtype, limit, momentum):
    torch.manual_seed(0)
    plain = kind(5, momentum=momentum)
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    plain = plain.to(torch.promote_types(dtype, torch.float32))
    synced = copy.deepcopy(plain)
    sync_norms(synced, Lonely())
    values = torch.randn(4, 5, 6, 7).add_(3).to(dtype).contiguous(memory_format=torch.channels_last)
    toward = torch.randn(4, 5, 6, 7).to(dtype)
    results = []
    for norm in (plain, synced):
        for _ in range(2):
            images = values.clone().requires_grad_()
            norm.zero_grad()
            found = norm(images)
            (found * toward).sum().backward()
        assert found.dtype == dtype
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert images.grad.stride() == values.stride()
        results.append([found, images.grad, norm.weight.grad, norm.bias.grad, *norm.buffers()])
    for one, other in zip(*results, strict=True):
        assert (one - other).abs().max() <= limit * max(1, one.abs().max())
    synced.load_state_dict(plain.state_dict())
    assert torch.equal(plain.eval()(values), synced.eval()(values)), "in evaluation it is the layer itself"


def test_alone_no_layer_is_changed_and_the_state_has_the_same_names():
    model = nn.Sequential(nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5))
    sync_norms(model, ALONE)
    assert "forward" not in vars(model[1])
    names = model.state_dict().keys()
    sync_norms(model, Lonely())
    assert "forward" in vars(model[1])
    assert model.state_dict().keys() == names


def test_a_copy_has_statistics_of_its_own_and_frozen_ones_stay():
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2))
    keep_statistics(model[0])
    sync_norms(model, Lonely())
    other = copy.deepcopy(model)
    other.train()(torch.randn(3, 2, 4, 4))
    assert torch.equal(other[0].running_mean, torch.zeros(2))
    assert not torch.equal(other[1].running_mean, torch.zeros(2))
    assert torch.equal(model[1].running_mean, torch.zeros(2))


def test_what_cannot_be_synchronised_is_refused():
    with pytest.raises(UsageError, match=r"no batch normalization in this model.*--sync-norms"):
        sync_norms(nn.Conv2d(1, 1, 1), Lonely())

    class Mine(nn.BatchNorm2d):
        pass

    with pytest.raises(UsageError, match="does not know the layers Mine"):
        sync_norms(Mine(1), Lonely())
    with pytest.raises(ValueError, match="sync_norms is True; ssd300_vgg16 has no batch normalization"):
        TrainConfig(out=Path("run"), sync_norms=True)
    assert PRESETS["light"]("run", sync_norms=True).sync_norms


@pytest.mark.slow
def test_the_gradient_of_a_batch_is_the_same_for_any_number_of_processes_and_not_without_it(coloured, tmp_path):
    """Seven images in two parts, so that processes have unequal pieces."""
    script = Path(__file__).with_name("gradients.py")
    found = {}
    for processes, synced in ((1, True), (3, True), (2, False)):
        options = {
            "batch_size": 7, "accumulate": 2, "sync_norms": synced, "amp": "off", "wide": True, "image_size": 64
        }  # fmt: skip
        out = tmp_path / f"{processes}{synced}.pt"
        ended = torchrun(processes, script, coloured, out, json.dumps(options))
        assert ended.returncode == 0, ended.stderr
        assert "strides" not in ended.stderr, "the gradients have the layout that their exchange wants"
        found[processes, synced] = torch.load(str(out))
    whole = found.pop((1, True))
    largest = max(gradient.abs().max() for gradient in whole["gradients"].values())
    apart = {
        key: max(float((other["gradients"][name] - one).abs().max()) for name, one in whole["gradients"].items())
        for key, other in found.items()
    }
    assert apart[3, True] < 1e-10 * largest
    assert apart[2, False] > 1e-2 * largest
    for name, buffer in whole["buffers"].items():
        torch.testing.assert_close(found[3, True]["buffers"][name], buffer, rtol=1e-10, atol=1e-10, msg=name)
