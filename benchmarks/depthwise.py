"""CPU time of the gradients of EfficientNet-Lite0's depthwise convolutions, by torch and by us. One thread, 8 images.

    THP_MEM_ALLOC_ENABLE=1 python benchmarks/depthwise.py [--rounds 5]

Each kind of layer is measured once, in float32 and in bfloat16. The two results are compared first.
"""

import argparse

import torch
from torch import Tensor

from alternate import alternate
from ssd300.model import ssd300_efficientnet_lite0
from ssd300.model.depthwise import DepthwiseConv2d, Padding, by_torch, gradient_of_images, gradient_of_weight, pad

BATCH, SIZE_PX, TOLERANCE = 8, 300, {torch.float32: 1e-4, torch.bfloat16: 0.02}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    arguments = parser.parse_args()
    print("| channels, size | kernel, stride | type | images: torch, ms | ours, ms | kernels: torch, ms | ours, ms |")
    print("|---|---|---|---|---|---|---|")
    for layer, images in layers_and_inputs():
        for precision in (torch.float32, torch.bfloat16):
            measure(layer, images.to(precision), arguments.rounds)


def layers_and_inputs() -> list[tuple[DepthwiseConv2d, Tensor]]:
    """A layer of each kind, with random images of the shape that it sees."""
    seen: dict[tuple[object, ...], tuple[DepthwiseConv2d, Tensor]] = {}

    def look(layer: torch.nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, DepthwiseConv2d)
        kind = (layer.kernel_size, layer.stride, given[0].shape)
        images = torch.randn(given[0].shape).contiguous(memory_format=torch.channels_last)
        seen.setdefault(kind, (layer, images))

    model = ssd300_efficientnet_lite0(1)
    for module in model.modules():
        if isinstance(module, DepthwiseConv2d):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        model(torch.rand(BATCH, 3, SIZE_PX, SIZE_PX))
    return list(seen.values())


@torch.no_grad()
def measure(layer: DepthwiseConv2d, images: Tensor, rounds: int) -> None:
    weight, stride = layer.weight.to(images.dtype), layer.stride[0]
    padding: Padding = layer.padding_of(*images.shape[2:])
    padded = pad(images, padding)
    gradient = torch.randn_like(layer(images.float())).to(images.dtype).contiguous(memory_format=torch.channels_last)
    size = tuple(images.shape[2:])
    ways = {
        "images, torch": lambda: by_torch(gradient, padded, weight, stride, padding, of_images=True),
        "images, ours": lambda: gradient_of_images(gradient, padded, weight, size, stride, padding),
        "kernels, torch": lambda: by_torch(gradient, padded, weight, stride, padding, of_images=False),
        "kernels, ours": lambda: gradient_of_weight(gradient, padded, weight, stride, padding),
    }
    theirs, ours = ways["kernels, torch"]().float(), ways["kernels, ours"]().float()
    assert (theirs - ours).norm() <= TOLERANCE[images.dtype] * theirs.norm()
    ms = " | ".join(f"{1e3 * times.median:.1f}" for times in alternate(ways, rounds=rounds).values())
    kind = f"{images.shape[1]}, {images.shape[2]} px | {layer.kernel_size[0]}, {stride}"
    print(f"| {kind} | {str(images.dtype).removeprefix('torch.')} | {ms} |", flush=True)


if __name__ == "__main__":
    main()
