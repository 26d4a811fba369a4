"""Depthwise convolutions whose gradients are fast on a CPU.

torch's CPU library (oneDNN) takes 3 to 50 times as long for some of these gradients as for the convolution itself: for
that of kernels of 5 x 5, and in bfloat16 for that of the images where the stride is above 1. Both gradients are
depthwise convolutions too, and are computed as such here. `python benchmarks/depthwise.py` measures each way.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ssd300.model.on_cpu import is_trained_on_cpu

SMALL_KERNEL = 3  # of these, torch's own gradient is faster
CHANNELS_LAST = torch.channels_last


class Padding(NamedTuple):
    """Zeros around an image, in pixels."""

    above: int
    below: int
    left: int
    right: int

    @property
    def is_even(self) -> bool:
        """A convolution can add it by itself."""
        return self.above == self.below and self.left == self.right

    @property
    def of_convolution(self) -> tuple[int, int]:
        """What is left for the convolution of an image that `pad` returns."""
        return (self.above, self.left) if self.is_even else (0, 0)


class DepthwiseConv2d(nn.Conv2d):
    """`layer`, a depthwise convolution with a square kernel and without bias, with the same weight and results.

    With `same` it pads as TensorFlow does: the output is the image divided by the stride, rounded up, and an odd zero
    is below and on the right.
    """

    def __init__(self, layer: nn.Conv2d, *, same: bool = False) -> None:
        channels, kernel, stride = layer.out_channels, layer.kernel_size[0], layer.stride[0]
        super().__init__(
            channels, channels, kernel, stride, int(layer.padding[0]), groups=channels, bias=False, device="meta"
        )
        self.weight = layer.weight
        self.same = same

    def forward(self, images: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch channels h2 w2"]:
        padding = self.padding_of(*images.shape[2:])
        if not is_trained_on_cpu(images):
            return _convolve(pad(images, padding), self.weight, self.stride[0], padding)
        precision = images.dtype
        if torch.is_autocast_enabled("cpu"):
            precision = torch.get_autocast_dtype("cpu")
        found: Tensor = _Depthwise.apply(images.to(precision), self.weight.to(precision), self.stride[0], padding)
        return found

    def padding_of(self, height: int, width: int) -> Padding:
        if not self.same:
            return Padding(*[int(self.padding[0])] * 4)
        kernel, stride = self.kernel_size[0], self.stride[0]
        down, across = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (height, width))
        return Padding(down // 2, down - down // 2, across // 2, across - across // 2)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: Padding) -> Tensor:
        padded = pad(images, padding)
        ctx.save_for_backward(padded, weight)
        ctx.size, ctx.stride, ctx.padding = images.shape[2:], stride, padding
        return _convolve(padded, weight, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        padded, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=CHANNELS_LAST)
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = gradient_of_images(gradient, padded, weight, ctx.size, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            found = gradient_of_weight(gradient, padded, weight, ctx.stride, ctx.padding)
            of_weight = torch.empty_like(weight).copy_(found)  # with its strides, as DistributedDataParallel wants them
        return of_images, of_weight, None, None


def gradient_of_images(
    gradient: Tensor, padded: Tensor, weight: Tensor, size: tuple[int, int], stride: int, padding: Padding
) -> Tensor:
    """The gradient of the loss by the images without their padding, of `size` (h, w)."""
    height, width = size
    kernel = weight.shape[-1]
    if stride == 1 and padding.is_even:
        around = (kernel - 1 - padding.above, kernel - 1 - padding.left)
        return F.conv2d(gradient, weight.flip(2, 3), padding=around, groups=len(weight))
    if gradient.dtype == torch.float32:
        of_padded = by_torch(gradient, padded, weight, stride, padding, of_images=True)
        if padding.is_even:
            return of_padded
        return of_padded[:, :, padding.above : padding.above + height, padding.left : padding.left + width]
    # The gradient spread out, so that one convolution of stride 1 gives each pixel what it has part in.
    batch, channels, rows, columns = gradient.shape
    spread = gradient.new_zeros(batch, height + kernel - 1, width + kernel - 1, channels).permute(0, 3, 1, 2)
    top, left = kernel - 1 - padding.above, kernel - 1 - padding.left
    spread[:, :, top : top + stride * rows : stride, left : left + stride * columns : stride] = gradient
    return F.conv2d(spread, weight.flip(2, 3), groups=len(weight))


def gradient_of_weight(gradient: Tensor, padded: Tensor, weight: Tensor, stride: int, padding: Padding) -> Tensor:
    """The gradient of the loss by the kernels, summed over the images in float32 or a wider type."""
    kernel = weight.shape[-1]
    if kernel <= SMALL_KERNEL:
        return by_torch(gradient, padded, weight, stride, padding, of_images=False)
    total = torch.zeros(weight.shape, dtype=torch.promote_types(weight.dtype, torch.float32))
    around = padding.of_convolution
    for image, of_image in zip(padded[:, None], gradient.contiguous(), strict=True):
        # The gradient is the kernel: each tap is the sum of its products with the image, moved by the tap.
        taps = F.conv2d(image, of_image[:, None], padding=around, dilation=stride, groups=len(weight))
        total += taps[0, :, None, :kernel, :kernel]
    return total.to(weight.dtype)


def by_torch(
    gradient: Tensor, padded: Tensor, weight: Tensor, stride: int, padding: Padding, *, of_images: bool
) -> Tensor:
    """The gradient by torch itself: of the images as `pad` returns them, or of the kernels."""
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        gradient, padded, weight, None, [stride] * 2, padding.of_convolution, [1, 1], False, [0, 0], len(weight),
        [of_images, not of_images, False],
    )  # fmt: skip
    return found[0] if of_images else found[1]


def pad(images: Tensor, padding: Padding) -> Tensor:
    """The images with their padding, unless a convolution can add it."""
    return images if padding.is_even else F.pad(images, (padding.left, padding.right, padding.above, padding.below))


def _convolve(padded: Tensor, weight: Tensor, stride: int, padding: Padding) -> Tensor:
    return F.conv2d(padded, weight, stride=stride, padding=padding.of_convolution, groups=len(weight))


def is_replaceable(layer: nn.Conv2d) -> bool:
    """Whether a DepthwiseConv2d does what `layer` does."""
    is_depthwise = layer.groups == layer.in_channels == layer.out_channels > 1 and layer.bias is None
    pairs = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    square = all(isinstance(pair, tuple) and len(set(pair)) == 1 for pair in pairs)
    return is_depthwise and square and layer.dilation[0] == 1 and layer.padding_mode == "zeros"
