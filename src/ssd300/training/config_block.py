"""The configuration as people read it: its fields in the groups of `ssd300 train --help`, on few lines."""

import shutil
from typing import Any

from ssd300.system.wording import wrapped
from ssd300.training.config import TrainConfig

GROUPS = {  # all fields but `out`
    "usual": "model backbone image_size init freeze steps batch_size device seed",
    "data": "augment on_bad_image cache workers",
    "learning": "lr schedule lr_drop lr_drop_factor warmup_steps momentum weight_decay decay_biases grad_clip "
    "accumulate amp ema ema_decay ema_ramp",
    "recipe": "optimizer matching weighting box_loss box_weight class_prior backbone_lr freeze_norms sync_norms "
    "sampling mosaic mixup",
    "network": "default_boxes rules normalization init_key heads",
    "run": "eval_every patience save_every save_minutes log_every tensorboard",
}
WIDEST = 110  # characters


def config_block(config: TrainConfig) -> str:
    """All values that have an effect, such as 'lr=0.01', as lines for the terminal's width."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    names = max(map(len, GROUPS))
    without_effect = _without_effect(config)
    lines = [f"configuration, for the run folder {config.out}:"]
    for group, fields in GROUPS.items():
        values = [f"{name}={_in_words(getattr(config, name))}" for name in fields.split() if name not in without_effect]
        lines.append(wrapped(f"  {group:{names}}  {', '.join(values)}", width, indent=names + 4))
    return "\n".join(lines)


def choices_beyond_the_paper(config: TrainConfig) -> dict[str, Any]:
    """The fields of the group "recipe" with another value than the default, as weights store them."""
    values = {name: getattr(config, name) for name in GROUPS["recipe"].split()}
    return {name: value for name, value in values.items() if value != getattr(TrainConfig, name)}


def _without_effect(config: TrainConfig) -> set[str]:
    names = set()
    if config.schedule == "cosine" or not any(drop < config.steps for drop in config.lr_drop):
        names |= {"lr_drop", "lr_drop_factor"}
    if config.optimizer == "adamw":
        names.add("momentum")
    names |= {name for name in ("backbone", "image_size") if getattr(config, name) is None}
    if not config.ema:
        names |= {"ema_decay", "ema_ramp"}
    if config.rules != "paper":  # they have their own
        names |= {"matching", "box_loss", "weighting"}
    return names


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "none" if value is None else str(value)
