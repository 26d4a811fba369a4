"""Presets: whole configurations by name. Each docstring gives its cost, and whether its mAP was measured here.

`ssd300 train --dry-run` estimates the time on your machine; `dataclasses.replace` changes an option of the result.
"""

from collections.abc import Callable
from pathlib import Path

from ssd300.training.config import TrainConfig


def paper(out: str | Path) -> TrainConfig:
    """SSD300-VGG16 by the rules of the paper and Caffe. The weights to start from are yours to name, with `init`.

    Cost: 3.84 million images, for a GPU; the time was not measured here. mAP: published as 77.2 on VOC2007 test, not
    measured here.
    """
    return TrainConfig(out=Path(out))


def pytorch_ssd300(out: str | Path) -> TrainConfig:
    """The rules of pytorch-SSD300 (by Jeffkang-94): its default boxes, matching, loss, weight decay, no normalization.

    Its augmentation is not rebuilt; the paper's is used. It counts iterations in batches of 32 and trains on batches
    of 8, so there are four times as many steps. Cost: as many images as `paper`; the time was not measured here. mAP:
    published as 70.2 on VOC2007 test, not measured here.
    """
    return TrainConfig(
        out=Path(out),
        steps=480_000,
        lr_drop=(320_000, 400_000),
        batch_size=8,
        default_boxes="pytorch-ssd300",
        rules="pytorch-ssd300",
        normalization="none",
        decay_biases=True,
        workers=4,
        log_every=200,
    )


def light(out: str | Path) -> TrainConfig:
    """EfficientNet-Lite0 from ImageNet's weights (the extra 'light'), for training on a CPU. Not in the paper.

    Cost and mAP on BCCD were measured, on two CPU cores: docs/results.md has both, with the commands.
    """
    return TrainConfig(
        out=Path(out),
        model="ssd300_efficientnet_lite0",
        init="imagenet",
        steps=500,
        batch_size=16,
        lr=1e-2,
        schedule="cosine",
        warmup_steps=50,
        grad_clip=10.0,
    )


PRESETS: dict[str, Callable[[str | Path], TrainConfig]] = {
    "paper": paper,
    "pytorch-ssd300": pytorch_ssd300,
    "light": light,
}
