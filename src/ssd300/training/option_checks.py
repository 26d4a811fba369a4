"""Which values the options of a training can have, each alone and together. Nothing heavy is imported here."""

import math
import re
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from ssd300.training.config import TrainConfig

IMAGE_SIZES_PX = (64, 2049)  # under 64 the last maps are all of one cell
ON_TIMM = "ssd300_timm"  # the model of `backbone`, as in model/architecture.py, which needs torch
TIMM = re.compile(r"timm:\S+")  # a value of `backbone`

NOTHING, BACKBONE, STAGES = "none", "backbone", re.compile(r"stages:([1-9]\d*)")  # values of `freeze`


def frozen_stages(freeze: str) -> int:
    """How many stages 'stages:N' names; 0 for another value of `freeze`."""
    found = STAGES.fullmatch(freeze)
    return int(found[1]) if found else 0


def check_values(config: "TrainConfig") -> None:
    """Raises ValueError with field, value and legal range if a value is out of range."""
    for name, hint in get_type_hints(type(config)).items():
        if (choices := get_args(hint)) and get_origin(hint) is Literal and getattr(config, name) not in choices:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be one of {', '.join(choices)}")
    for name, least in (("steps", 1), ("batch_size", 1), ("workers", 0), ("save_every", 1), ("log_every", 1)):
        if (value := getattr(config, name)) < least:
            raise ValueError(f"{name} is {value}; it must be {least} or more")
    for name in (
        "eval_every", "patience", "ema_ramp", "warmup_steps", "momentum", "weight_decay", "seed", "save_minutes",
    ):  # fmt: skip
        if not (value := getattr(config, name)) >= 0:
            raise ValueError(f"{name} is {value}; it must be 0 or more")
    if config.freeze not in (NOTHING, BACKBONE) and not frozen_stages(config.freeze):
        raise ValueError(f"freeze is {config.freeze}; it must be {NOTHING}, {BACKBONE} or stages:N, such as stages:3")
    for name in ("lr", "lr_drop_factor", "box_weight", "backbone_lr"):
        if not (0 < (value := getattr(config, name)) < math.inf):
            raise ValueError(f"{name} is {value}; it must be above 0")
    if not 1 <= config.accumulate <= config.batch_size:
        raise ValueError(f"accumulate is {config.accumulate}; it must be 1 to the batch size, {config.batch_size}")
    for name in ("ema_decay", "class_prior"):
        if not 0 <= (value := getattr(config, name)) < 1:
            raise ValueError(f"{name} is {value}; it must be 0 or more, and under 1")
    if config.image_size is not None and config.image_size not in range(*IMAGE_SIZES_PX):
        least, most = IMAGE_SIZES_PX[0], IMAGE_SIZES_PX[1] - 1
        raise ValueError(f"image_size is {config.image_size}; it must be {least} to {most}, or left out")
    if config.grad_clip is not None and not config.grad_clip > 0:
        raise ValueError(f"grad_clip is {config.grad_clip}; it must be above 0, or left out")
    if list(config.lr_drop) != sorted(set(config.lr_drop)) or any(drop < 1 for drop in config.lr_drop):
        drops = " ".join(map(str, config.lr_drop))
        raise ValueError(f"lr_drop is {drops}; drops are steps from 1 on, each later than the one before")


def check_choices(config: "TrainConfig") -> None:
    """Raises ValueError for choices that exclude each other. Another code's `rules` have all of their parts."""
    if config.backbone is not None and not TIMM.fullmatch(config.backbone):
        raise ValueError(
            f"backbone is {config.backbone}; it must be timm: and a name of timm, such as timm:mobilenetv3_large_100"
        )
    if config.backbone is not None and config.model != ON_TIMM:
        raise ValueError(f"backbone is {config.backbone}; {config.model} has its own, so leave out one of the two")
    if config.backbone is None and config.model == ON_TIMM:
        raise ValueError(f"model is {ON_TIMM}; it needs a backbone, such as timm:mobilenetv3_large_100")
    for name in ("matching", "box_loss", "weighting"):
        own = getattr(type(config), name)
        if config.rules != "paper" and getattr(config, name) != own:
            raise ValueError(
                f"{name} is {getattr(config, name)}; with rules {config.rules} it must be {own}, as these rules have a "
                "matching and a loss of their own"
            )
    for name in ("mosaic", "mixup"):
        if not 0 <= (share := getattr(config, name)) <= 1:
            raise ValueError(f"{name} is {share}; it must be 0 to 1")
        if share and not config.augment:
            raise ValueError(f"{name} is {share}; without augment it must be 0, as it is an augmentation")
    if config.patience and not config.eval_every:
        raise ValueError(
            f"patience is {config.patience}; it counts evaluations, so it must be 0 without eval_every (--eval-every)"
        )
    if config.backbone_lr != 1 and config.freeze == BACKBONE:
        raise ValueError(
            f"backbone_lr is {config.backbone_lr}; with freeze {BACKBONE} it must be 1, as it has no effect"
        )
    if config.freeze_norms and "vgg16" in config.model:
        raise ValueError(f"freeze_norms is True; {config.model} has no batch normalization in its backbone")
    if config.sync_norms and "vgg16" in config.model:
        raise ValueError(f"sync_norms is True; {config.model} has no batch normalization")
    if config.heads != "ssd" and "vgg16" in config.model:
        raise ValueError(
            f"heads is {config.heads}; with {config.model} it must be ssd, as these heads need batch normalization"
        )
    if config.freeze_norms and config.init == "none":
        raise ValueError("freeze_norms is True; with init none there are no means and variances to keep")
