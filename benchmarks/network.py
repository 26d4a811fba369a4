"""CPU time of SSD300-VGG16 on one thread: a picture through the network, or with --train a whole training step of 8.

    python benchmarks/network.py [--rounds 5]
    python benchmarks/network.py --train [--rounds 3]

The first way is what the seed does: NCHW in float32, with its loss picture by picture in training.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from alternate import alternate, table
from seed import multibox_loss
from ssd300.model import SSD, ssd300_vgg16
from ssd300.tensors import Batch, Targets
from ssd300.training.config import TrainConfig
from ssd300.training.loop import TrainStep
from ssd300.training.optimizer import make_optimizer

CLASSES, BATCH, OBJECTS = 20, 8, 3


def forward(model: SSD, precision: torch.dtype) -> Callable[[], object]:
    images = torch.rand(1, 3, 300, 300)

    @torch.no_grad()
    def run() -> object:
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            return model(images)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--train", action="store_true")
    arguments = parser.parse_args()
    ways = training() if arguments.train else inference()
    rounds = arguments.rounds or (3 if arguments.train else 5)
    title = f"training step of {BATCH}" if arguments.train else "one picture"
    print(table(f"SSD300-VGG16, {title}", alternate(ways, rounds=rounds), unit="s"))


def inference() -> dict[str, Callable[[], object]]:
    model = ssd300_vgg16(CLASSES).eval()
    return {
        "float32, NCHW as the seed": seeds_forward(ssd300_vgg16(CLASSES).eval()),
        "float32, channels_last": forward(model, torch.float32),
        "bfloat16, channels_last": forward(model, torch.bfloat16),
    }


def seeds_forward(model: SSD) -> Callable[[], object]:
    plain = as_nchw(model)
    images = torch.rand(1, 3, 300, 300)

    @torch.no_grad()
    def run() -> object:
        return plain(images)

    return run


def as_nchw(model: SSD) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """The same network in torch's usual layout."""
    model.to(memory_format=torch.contiguous_format)

    def run(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = model.backbone((images - model.mean) / model.std)
        predictions = model.heads([*maps, *model.extras(maps[-1])])
        return predictions.logits, predictions.offsets

    return run


def training() -> dict[str, Callable[[], object]]:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (BATCH, 3, 300, 300), dtype=torch.uint8, generator=random)
    size = torch.rand(BATCH, OBJECTS, 2, generator=random) * 0.5 + 0.1
    corner = torch.rand(BATCH, OBJECTS, 2, generator=random) * (1 - size)
    boxes, labels = torch.cat([corner, corner + size], 2), torch.randint(1, 21, (BATCH, OBJECTS), generator=random)
    batch = Batch(images=images, targets=Targets(boxes=boxes, labels=labels), image_ids=tuple("abcdefgh"))
    config = TrainConfig(out=Path("unused"), batch_size=BATCH, lr=1e-6)

    def ours(precision: torch.dtype) -> Callable[[], object]:
        model = ssd300_vgg16(CLASSES).train()
        optimizer = make_optimizer(model, momentum=config.momentum, weight_decay=config.weight_decay)
        step = TrainStep(model, optimizer, config, torch.device("cpu"), precision)
        return lambda: step(batch, 0)

    seeds = ssd300_vgg16(CLASSES).train()
    plain = as_nchw(seeds)
    optimizer = torch.optim.SGD(seeds.parameters(), lr=config.lr, momentum=config.momentum)

    def seeds_step() -> None:
        logits, offsets = plain(images.float() / 255)
        loss = multibox_loss(logits, offsets, list(boxes), list(labels), seeds.default_boxes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return {
        "float32, NCHW as the seed": seeds_step,
        "ours, float32": ours(torch.float32),
        "ours, bfloat16": ours(torch.bfloat16),
    }


if __name__ == "__main__":
    main()
