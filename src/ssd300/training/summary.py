"""`summary.json`: the result of a run, and what it was made with."""

from typing import Any

import torch

from ssd300.system.device import dtype_name
from ssd300.system.environment import environment, source_commit
from ssd300.training.config import TrainConfig
from ssd300.training.state import Progress

NOT_EVALUATED = dict.fromkeys(
    ("metric", "map", "per_class", "images", "limits", "trained_on_images", "averaged", "min_scores")
)


def summarize(config: TrainConfig, progress: Progress, device: torch.device) -> dict[str, Any]:
    """The best evaluation, its values None if there was none; steps, images and seconds; seed, device, versions."""
    return {
        **(progress.best or NOT_EVALUATED),
        "steps": progress.step,
        "images_seen": progress.step * config.batch_size,
        "seconds": round(progress.seconds, 1),
        "skipped_images": len(progress.skipped),
        "seed": config.seed,
        "device": str(device),
        "precision": dtype_name(progress.precision),
        "git": source_commit(),
        "versions": environment(),
    }
