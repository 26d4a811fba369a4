"""CPU time of a training step of SSD300-VGG16 on one thread, 8 images: matching, network, loss, update.

    python benchmarks/train_step.py [--rounds 3]

The first way is pytorch-SSD300's: NCHW in float32, and a loss that goes image by image.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from alternate import alternate, table
from network import CLASSES, as_nchw
from pytorch_ssd300 import multibox_loss
from ssd300.batches import Batch, Targets
from ssd300.model import ssd300_vgg16
from ssd300.training.config import TrainConfig
from ssd300.training.optimizer import make_optimizer
from ssd300.training.state import Progress, TrainState
from ssd300.training.step import TrainStep

BATCH, OBJECTS = 8, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each way")
    arguments = parser.parse_args()
    times = alternate(ways(), rounds=arguments.rounds)
    print(table(f"SSD300-VGG16, training step of {BATCH}", times, unit="s"))


def ways() -> dict[str, Callable[[], object]]:
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
        state = TrainState(config=config, model=model, optimizer=optimizer, progress=Progress(precision=precision))
        step = TrainStep(state, torch.device("cpu"))
        return lambda: step(batch, 0)

    theirs = ssd300_vgg16(CLASSES).train()
    plain = as_nchw(theirs)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=config.lr, momentum=config.momentum)

    def plain_step() -> None:
        logits, offsets = plain(images.float() / 255)
        loss = multibox_loss(logits, offsets, list(boxes), list(labels), theirs.default_boxes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return {
        "float32, NCHW as pytorch-SSD300": plain_step,
        "ours, float32": ours(torch.float32),
        "ours, bfloat16": ours(torch.bfloat16),
    }


if __name__ == "__main__":
    main()
