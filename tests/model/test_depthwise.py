"""Depthwise convolutions have the results and gradients of torch's own, by other sums."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ssd300.model.depthwise import DepthwiseConv2d
from ssd300.model.fast_layers import use_fast_layers

CHANNELS = 4


class ConvSame(nn.Conv2d):
    """TensorFlow's padding by its definition."""

    def forward(self, images):
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for side in reversed(images.shape[2:]):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(images, pads))


ConvSame.__name__ = "Conv2dSame"


def pair(kernel, stride, *, same):
    """torch's layer, and ours with the same weight."""
    make = ConvSame if same else nn.Conv2d
    theirs = make(CHANNELS, CHANNELS, kernel, stride, 0 if same else kernel // 2, groups=CHANNELS, bias=False)
    ours = nn.Sequential(theirs)
    use_fast_layers(ours)
    assert type(ours[0]) is DepthwiseConv2d
    return theirs, ours[0]


def gradients(layer, images, direction):
    images = images.clone().requires_grad_()
    layer.zero_grad()
    found = layer(images)
    (found.float() * direction).sum().backward()
    return found.detach(), images.grad, layer.weight.grad.clone()


@settings(deadline=None)  # the first call compiles
@given(
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.integers(1, 3),
    same=st.booleans(),
    height=st.integers(4, 13),
    width=st.integers(4, 13),
    batch=st.integers(1, 3),
)
def test_results_and_gradients_are_those_of_torch(kernel, stride, same, height, width, batch):
    torch.manual_seed(height)
    theirs, ours = pair(kernel, stride, same=same)
    images = torch.randn(batch, CHANNELS, height, width)
    direction = torch.randn_like(theirs(images))
    for found, wanted in zip(gradients(ours, images, direction), gradients(theirs, images, direction), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride", "same"), list(product((3, 5), (1, 2), (False, True))))
def test_gradients_in_bfloat16_are_those_of_float32_to_its_precision(kernel, stride, same):
    torch.manual_seed(0)
    _, ours = pair(kernel, stride, same=same)
    images = torch.randn(4, CHANNELS, 18, 18)
    direction = torch.randn_like(ours(images))
    exact = gradients(ours, images, direction)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = gradients(ours, images, direction)
    assert rounded[0].dtype == torch.bfloat16
    for found, wanted in zip(rounded, exact, strict=True):
        assert (found - wanted).norm() < 0.01 * wanted.norm()


def test_without_gradients_it_is_a_plain_convolution():
    theirs, ours = pair(5, 2, same=True)
    images = torch.randn(2, CHANNELS, 9, 8)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images))


def test_a_frozen_weight_gets_no_gradient():
    _, ours = pair(5, 1, same=False)
    ours.weight.requires_grad_(False)
    images = torch.randn(2, CHANNELS, 9, 8, requires_grad=True)
    ours(images).sum().backward()
    assert ours.weight.grad is None
    assert images.grad is not None


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 8, 3),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, groups=4, bias=True),
        nn.Conv2d(4, 4, (3, 5), groups=4, bias=False),
        nn.Conv2d(4, 4, 3, dilation=2, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding="same", groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect", groups=4, bias=False),
    ],
)
def test_other_convolutions_stay_as_they_are(layer):
    network = nn.Sequential(layer)
    use_fast_layers(network)
    assert network[0] is layer


def test_efficientnet_has_them_and_the_names_and_results_of_timms():
    timm = pytest.importorskip("timm")
    from ssd300.model.backbone import TimmBackbone

    ours = TimmBackbone("tf_efficientnet_lite0").eval().body
    theirs = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(2, 3, 4)).eval()
    assert sum(isinstance(layer, DepthwiseConv2d) for layer in ours.modules()) == 16
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        for found, wanted in zip(ours(images), theirs(images), strict=True):
            torch.testing.assert_close(found, wanted)
