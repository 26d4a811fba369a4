"""What training hands from the data to the model as torch tensors.

Boxes are xyxy, relative (0..1). Labels count background as 0, so class k of the data set is k + 1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """The objects of a batch, padded to the image that has most; padding has label 0. No objects is normal."""

    boxes: Float[Tensor, "batch objects 4"]
    labels: Int[Tensor, "batch objects"]

    def to(self, device: torch.device) -> "Targets":
        return Targets(boxes=self.boxes.to(device, non_blocking=True), labels=self.labels.to(device, non_blocking=True))

    def part(self, rows: slice) -> "Targets":
        return Targets(boxes=self.boxes[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Photometric:
    """The colour changes drawn for each image of a batch; where `applied` is false its value is the identity.

    `content_px` is the part of the image that comes from a photograph: the rest is filled with the mean colour
    after the colours have been changed (the paper distorts before it zooms out).
    """

    brightness: Float[Tensor, " batch"]
    contrast: Float[Tensor, " batch"]
    saturation: Float[Tensor, " batch"]
    hue_degrees: Float[Tensor, " batch"]
    contrast_first: Bool[Tensor, " batch"]
    content_px: Int[Tensor, "batch 4"]

    def to(self, device: torch.device) -> "Photometric":
        return Photometric(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})

    def part(self, rows: slice) -> "Photometric":
        return Photometric(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Images at the network's size with their objects. `image_ids` are for messages and reports, and `skipped`
    says which images should have been among them and could not be read.
    """

    images: UInt8[Tensor, "batch 3 height width"]
    targets: Targets
    image_ids: tuple[str, ...]
    photometric: Photometric | None = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.image_ids)

    def part(self, rows: slice) -> "Batch":
        photometric = None if self.photometric is None else self.photometric.part(rows)
        return Batch(
            images=self.images[rows],
            targets=self.targets.part(rows),
            image_ids=self.image_ids[rows],
            photometric=photometric,
        )
