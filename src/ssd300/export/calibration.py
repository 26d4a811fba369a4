"""Are the images that int8 takes its ranges from like those that the weights were trained on?

The training data need not be there: batch normalization stores the mean and variance of each channel in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model import SSD
from ssd300.system.wording import plural

MAX_DISTANCE = 1.2  # real photographs of other objects are below 1; dark, gray and noisy images above 1.3
BATCH = 4


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`without_detections` counts the images on which the weights detect nothing. `distance` is that of channel means
    from those in training, in standard deviations, for the layer where it is largest; None without batch normalization.
    """

    images: int
    without_detections: int
    distance: float | None

    def notes(self) -> list[str]:
        """What is suspicious about the images. None of these sentences says that the file is wrong."""
        notes = []
        if self.without_detections > self.images / 2:
            notes.append(
                f"the weights detect nothing on {self.without_detections} of the {plural(self.images, 'image')} that "
                "int8 takes its ranges from: on images with objects the file may detect worse than it does here"
            )
        if self.distance is not None and self.distance > MAX_DISTANCE:
            notes.append(
                "the images that int8 takes its ranges from are unlike those that the weights were trained on: a layer "
                f"sees values {self.distance:.1f} standard deviations away, and up to {MAX_DISTANCE:g} is usual; name "
                "images like those that the file will be used on with --images"
            )
        return notes


@torch.no_grad()
def distance_from_training(model: SSD, inputs: Sequence[Float[Tensor, "3 size size"]]) -> float | None:
    """`distance` of Calibration. `model` is left in evaluation mode."""
    layers = [
        module
        for module in model.eval().modules()
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None
    ]
    seen: dict[nn.Module, list[float]] = {layer: [] for layer in layers}

    def look(layer: Any, given: tuple[Tensor, ...]) -> None:
        means = given[0].mean(dim=(0, 2, 3))
        deviation = (layer.running_var + layer.eps).sqrt()
        seen[layer].append(float(((means - layer.running_mean).abs() / deviation).mean()))

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        for first in range(0, len(inputs), BATCH):
            model(torch.stack(list(inputs[first : first + BATCH])))
    finally:
        for hook in hooks:
            hook.remove()
    return max((float(np.mean(values)) for values in seen.values()), default=None)
