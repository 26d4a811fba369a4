"""CPU time of SSD300-VGG16's forward pass for one image, on one thread.

    python benchmarks/network.py [--rounds 5]

The first way is pytorch-SSD300's: NCHW in float32.
"""

import argparse
from collections.abc import Callable

import torch

from alternate import alternate, table
from ssd300.model import SSD, ssd300_vgg16

CLASSES = 20


def forward(model: SSD, precision: torch.dtype) -> Callable[[], object]:
    images = torch.rand(1, 3, 300, 300)

    @torch.no_grad()
    def run() -> object:
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            return model(images)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    arguments = parser.parse_args()
    model = ssd300_vgg16(CLASSES).eval()
    ways = {
        "float32, NCHW as pytorch-SSD300": plain_forward(ssd300_vgg16(CLASSES).eval()),
        "float32, channels_last": forward(model, torch.float32),
        "bfloat16, channels_last": forward(model, torch.bfloat16),
    }
    print(table("SSD300-VGG16, one image", alternate(ways, rounds=arguments.rounds), unit="s"))


def plain_forward(model: SSD) -> Callable[[], object]:
    plain = as_nchw(model)
    images = torch.rand(1, 3, 300, 300)

    @torch.no_grad()
    def run() -> object:
        return plain(images)

    return run


def as_nchw(model: SSD) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """The same network in torch's default layout."""
    model.to(memory_format=torch.contiguous_format)

    def run(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = model.backbone((images - model.mean) / model.std)
        predictions = model.heads([*maps, *model.extras(maps[-1])])
        return predictions.logits, predictions.offsets

    return run


if __name__ == "__main__":
    main()
