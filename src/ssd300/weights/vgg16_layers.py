"""The layers of a pretrained VGG16 backbone, from the three kinds of files that people have them in.

| kind | convolutions | conv6 and conv7 | trained on |
|---|---|---|---|
| torchvision's vgg16 | features.0 ... features.28 | classifier.0 and .3, decimated | RGB, ImageNet's mean |
| torchvision's vgg16 features | the same | none: the classifier is NaN | RGB, Caffe's mean |
| amdegroot's vgg16_reducedfc | 0 ... 28 | 31 and 33 | BGR, Caffe's mean |
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ssd300.model.ssd import CAFFE, IMAGENET, Normalization
from ssd300.weights.layouts import FEATURES, REDUCED_FC

FEATURES_PREFIX = "features."
FC6_SHAPE, FC7_SHAPE = (4096, 512, 7, 7), (4096, 4096, 1, 1)  # as convolutions
# The names of such files, the usual kind first; the bare numbers are also those of torchvision's `vgg16().features`.
KINDS = (
    frozenset(
        f"{name}.{kind}"
        for name in (*(f"{FEATURES_PREFIX}{number}" for number in FEATURES.values()), "classifier.0", "classifier.3")
        for kind in ("weight", "bias")
    ),
    frozenset(f"{number}.{kind}" for number in (FEATURES | REDUCED_FC).values() for kind in ("weight", "bias")),
)
Layers = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Vgg16Layers:
    """(weight, bias) by the paper's layer name, for RGB images. A file may hold a part of them."""

    layers: Mapping[str, tuple[Tensor, Tensor]]
    normalization: Normalization


def find_vgg16_layers(tensors: Mapping[str, Tensor]) -> Vgg16Layers:
    """The layers of VGG16 among a file's tensors, in float32. There may be none."""
    if f"{REDUCED_FC['conv6']}.weight" in tensors:
        return _from_reduced_fc(tensors)
    return _from_torchvision(tensors)


def _from_torchvision(tensors: Mapping[str, Tensor]) -> Vgg16Layers:
    prefix = FEATURES_PREFIX if any(name.startswith(FEATURES_PREFIX) for name in tensors) else ""
    layers = _layers(tensors, {layer: f"{prefix}{number}" for layer, number in FEATURES.items()})
    fully_connected = _layers(tensors, {"conv6": "classifier.0", "conv7": "classifier.3"})
    if "conv6" in fully_connected and not torch.isfinite(fully_connected["conv6"][0]).all():
        return Vgg16Layers(layers, CAFFE)  # Caffe's VGG16: torchvision fills its classifier with NaN
    for layer, shape, size in (("conv6", FC6_SHAPE, 3), ("conv7", FC7_SHAPE, 1)):
        if layer in fully_connected:
            weight, bias = fully_connected[layer]
            layers[layer] = decimate(weight.view(shape), bias, size)
    return Vgg16Layers(layers, IMAGENET)


def _from_reduced_fc(tensors: Mapping[str, Tensor]) -> Vgg16Layers:
    layers = _layers(tensors, {layer: str(number) for layer, number in (FEATURES | REDUCED_FC).items()})
    if "conv1_1" in layers:
        weight, bias = layers["conv1_1"]
        layers["conv1_1"] = (weight.flip(1), bias)  # from BGR to RGB
    return Vgg16Layers(layers, CAFFE)


def _layers(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> Layers:
    """Those of the named layers whose weight and bias are both in the file, in the order of `names`."""
    return {
        layer: (tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float())
        for layer, name in names.items()
        if f"{name}.weight" in tensors and f"{name}.bias" in tensors
    }


def decimate(weight: Tensor, bias: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """A fully connected layer, seen as a convolution, subsampled to 1024 outputs and a kernel of `size` x `size`.

    Every fourth output is taken, every third tap of the kernel, and for `size` 1 every fourth input, since these are
    the outputs of the layer before.
    """
    weight, bias = weight.float(), bias.float()
    rows, columns = torch.arange(0, weight.shape[0], 4), torch.arange(0, weight.shape[1], 4 if size == 1 else 1)
    taps = torch.arange(0, weight.shape[2], 3)
    return weight[rows][:, columns][:, :, taps][..., taps], bias[rows]
