"""Presets: whole configurations by name. Each docstring gives its cost, and whether its mAP was measured here.

`ssd300 train --dry-run` estimates the time on your machine. `changes` are fields of TrainConfig in place of the
preset's: `presets.light("runs/a", steps=200)`. A `backbone` takes the place of the preset's `model` too. A preset's own
warm-up becomes shorter with the run: it is at most one step in `WARMUP_SHARE`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ssd300.training.config import TrainConfig
from ssd300.training.option_checks import ON_TIMM

WARMUP_SHARE = 10
EVALUATIONS, LEAST_APART = 10, 50  # of a run of `best`, and the fewest steps between two of them
ON_A_CPU = "best"  # the preset for a machine without a GPU


class Preset(Protocol):
    """A function of this module. Raises ValueError as TrainConfig does, and TypeError for a field that it lacks."""

    def __call__(self, out: str | Path, **changes: Any) -> TrainConfig: ...


def paper(out: str | Path, **changes: Any) -> TrainConfig:
    """SSD300-VGG16 by the rules of the paper and Caffe. The weights to start from are yours to name, with `init`.

    Cost: 3.84 million images, for a GPU; docs/performance.md has the images/s of one. mAP: published as 77.2 on VOC2007
    test, not measured here.
    """
    return _changed(TrainConfig(out=Path(out)), changes)


def pytorch_ssd300(out: str | Path, **changes: Any) -> TrainConfig:
    """The rules of pytorch-SSD300 (by Jeffkang-94): its default boxes, matching, loss, weight decay, no normalization.

    Its augmentation is not rebuilt; the paper's is used. It counts iterations in batches of 32 and trains on batches
    of 8, so there are four times as many steps. Cost: as many images as `paper`; the time was not measured here. mAP:
    published as 70.2 on VOC2007 test, not measured here.
    """
    preset = TrainConfig(
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
    return _changed(preset, changes)


def paper_coco(out: str | Path, **changes: Any) -> TrainConfig:
    """The paper's SSD300-VGG16 for COCO, by Caffe's ssd_coco.py: smaller default boxes, and a longer schedule.

    Cost: 12.8 million images, for a GPU; the time was not measured here. mAP: published as COCO AP 25.1 on
    test-dev2015, not measured here.
    """
    preset = TrainConfig(
        out=Path(out),
        steps=400_000,
        lr_drop=(280_000, 360_000),  # ssd_coco.py: stepvalue
        default_boxes="coco",
    )
    return _changed(preset, changes)


def light(out: str | Path, **changes: Any) -> TrainConfig:
    """EfficientNet-Lite0 from ImageNet's weights (the extra 'light'), for training on a CPU. Not in the paper.

    Cost and mAP on BCCD were measured, on two CPU cores: docs/results.md has both, with the commands.
    """
    preset = TrainConfig(
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
    return _changed(preset, changes)


def best(out: str | Path, **changes: Any) -> TrainConfig:
    """`light` with what gained on three datasets: fitted default boxes, twice the updates for the same images, a higher
    rate, and class outputs that expect few objects.

    It evaluates ten times, a short run every 50 steps, and ends early if it no longer learns. The network and its speed
    are those of `light`. Cost and mAP were measured: docs/results.md has them, with commands, and what did not gain.
    """
    preset = light(
        out,
        default_boxes="fitted",
        class_prior=0.05,
        steps=1000,
        batch_size=8,
        lr=4e-2,
        warmup_steps=100,
        eval_every=100,
        patience=4,
    )
    if changes.get("eval_every") == 0:
        changes = {"patience": 0, **changes}
    config = _changed(preset, changes)
    if "eval_every" in changes:
        return config
    return replace(config, eval_every=max(LEAST_APART, config.steps // EVALUATIONS))


def _changed(preset: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    if changes.get("backbone") is not None:
        changes = {"model": ON_TIMM, **changes}
    config = replace(preset, **changes)
    if "warmup_steps" in changes:
        return config
    return replace(config, warmup_steps=min(config.warmup_steps, config.steps // WARMUP_SHARE))


PRESETS: dict[str, Preset] = {
    "paper": paper,
    "pytorch-ssd300": pytorch_ssd300,
    "light": light,
    "best": best,
    "paper-coco": paper_coco,
}
