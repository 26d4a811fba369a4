"""CPU time of a training step on one thread, 8 images: matching, network, loss, update.

    THP_MEM_ALLOC_ENABLE=1 python benchmarks/train_step.py [--model vgg16|light] [--rounds 3]

The command `ssd300` sets the variable itself, before torch is loaded. For SSD300-VGG16 the first way is that of
pytorch-SSD300: NCHW in float32, and a loss that goes image by image. For the light model it is ours in bfloat16 with
torch's own depthwise convolutions and ReLU6.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from alternate import alternate, table
from network import CLASSES, as_nchw
from pytorch_ssd300 import multibox_loss
from ssd300.batches import Batch, Targets
from ssd300.model import SSD, ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.model.depthwise import DepthwiseConv2d, pad
from ssd300.model.relu6 import ReLU6
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE, World
from ssd300.training.optimizer import make_optimizer
from ssd300.training.state import Progress, TrainState
from ssd300.training.step import TrainStep

BATCH, OBJECTS = 8, 3
CONFIG = TrainConfig(out=Path("unused"), batch_size=BATCH, lr=1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["vgg16", "light"], default="vgg16")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each way")
    arguments = parser.parse_args()
    ways = ways_of_vgg16() if arguments.model == "vgg16" else ways_of_light()
    times = alternate(ways, rounds=arguments.rounds)
    print(table(f"{arguments.model}, training step of {BATCH}", times, unit="s"))


def random_batch(count: int = BATCH) -> Batch:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 300, 300), dtype=torch.uint8, generator=random)
    size = torch.rand(count, OBJECTS, 2, generator=random) * 0.5 + 0.1
    corner = torch.rand(count, OBJECTS, 2, generator=random) * (1 - size)
    boxes, labels = torch.cat([corner, corner + size], 2), torch.randint(1, 21, (count, OBJECTS), generator=random)
    return Batch(images=images, targets=Targets(boxes=boxes, labels=labels), image_ids=tuple(map(str, range(count))))


def ours(model: SSD, precision: torch.dtype) -> Callable[[], object]:
    step, batch = train_step(model, precision), random_batch()
    return lambda: step(batch, 0)


def train_step(model: SSD, precision: torch.dtype, device: str = "cpu", world: World = ALONE) -> TrainStep:
    optimizer = make_optimizer(model.to(device).train(), momentum=CONFIG.momentum, weight_decay=CONFIG.weight_decay)
    state = TrainState(config=CONFIG, model=model, optimizer=optimizer, progress=Progress(precision=precision))
    return TrainStep(state, torch.device(device), world)


def ways_of_vgg16() -> dict[str, Callable[[], object]]:
    theirs, batch = ssd300_vgg16(CLASSES).train(), random_batch()
    plain = as_nchw(theirs)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=CONFIG.lr, momentum=CONFIG.momentum)

    def plain_step() -> None:
        logits, offsets = plain(batch.images.float() / 255)
        targets = batch.targets
        loss = multibox_loss(logits, offsets, list(targets.boxes), list(targets.labels), theirs.default_boxes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return {
        "float32, NCHW as pytorch-SSD300": plain_step,
        "ours, float32": ours(ssd300_vgg16(CLASSES), torch.float32),
        "ours, bfloat16": ours(ssd300_vgg16(CLASSES), torch.bfloat16),
    }


def ways_of_light() -> dict[str, Callable[[], object]]:
    return {
        "bfloat16, torch's layers": ours(with_torchs_layers(), torch.bfloat16),
        "float32, torch's layers": ours(with_torchs_layers(), torch.float32),
        "float32, ours": ours(ssd300_efficientnet_lite0(CLASSES), torch.float32),
        "bfloat16, ours": ours(ssd300_efficientnet_lite0(CLASSES), torch.bfloat16),
    }


class TorchsGradients(DepthwiseConv2d):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        padding = self.padding_of(*images.shape[2:])
        around = padding.of_convolution
        return F.conv2d(pad(images, padding), self.weight, stride=self.stride, padding=around, groups=self.groups)


def with_torchs_layers() -> SSD:
    model = ssd300_efficientnet_lite0(CLASSES)
    for name, layer in list(model.named_modules()):
        parent, _, own = name.rpartition(".")
        if isinstance(layer, DepthwiseConv2d):
            setattr(model.get_submodule(parent), own, TorchsGradients(layer, same=layer.same))
        elif isinstance(layer, ReLU6):
            setattr(model.get_submodule(parent), own, nn.ReLU6(inplace=True))
    return model


if __name__ == "__main__":
    main()
