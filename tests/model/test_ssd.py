import math

import pytest
import torch

from ssd300.model import SSD, ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.model.layers import L2Norm


@pytest.fixture(scope="module")
def vgg() -> SSD:
    return ssd300_vgg16(20)


def test_vgg16_has_the_papers_size(vgg):
    assert sum(parameter.numel() for parameter in vgg.parameters()) == 26_285_486
    assert vgg.backbone.to_conv7.conv6.dilation == (6, 6)


@pytest.mark.parametrize("builder", [ssd300_vgg16, ssd300_efficientnet_lite0])
def test_every_default_box_gets_logits_and_offsets(builder):
    model = builder(3).eval()
    with torch.no_grad():
        predictions = model(torch.rand(1, 3, 300, 300))
    assert predictions.logits.shape == (1, 8732, 4)
    assert predictions.offsets.shape == (1, 8732, 4)
    assert "default_boxes" in dict(model.named_buffers())


def test_wrong_input_size_says_what_is_taken(vgg):
    with pytest.raises(ValueError, match=r"\(batch, 3, 300, 300\)"):
        vgg(torch.rand(1, 3, 512, 512))


def test_initialisation_is_by_fan_in(vgg):
    head = vgg.heads.logits[1].weight
    bound = math.sqrt(3 / (1024 * 9))
    assert head.abs().max() <= bound
    assert head.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert all((conv.bias == 0).all() for conv in vgg.heads.offsets)


def test_l2_norm_survives_a_dead_location():
    norm = L2Norm(8)
    features = torch.zeros(1, 8, 2, 2, requires_grad=True)
    norm(features).sum().backward()
    assert torch.isfinite(features.grad).all()
    ones = norm(torch.ones(1, 8, 1, 1))
    torch.testing.assert_close(ones, torch.full((1, 8, 1, 1), 20 / math.sqrt(8)))
