"""Batches: images, objects and color changes as torch tensors, on their way from the data to the model in training.

Boxes are xyxy, relative (0..1). Label 0 is background, so class k of the dataset is k + 1.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """The objects of a batch, padded to the largest number in an image; padding has label 0. It may have no objects."""

    boxes: Float[Tensor, "batch objects 4"] = field(repr=False)
    labels: Int[Tensor, "batch objects"] = field(repr=False)

    def to(self, device: torch.device) -> "Targets":
        return Targets(boxes=self.boxes.to(device, non_blocking=True), labels=self.labels.to(device, non_blocking=True))

    def part(self, rows: slice) -> "Targets":
        return Targets(boxes=self.boxes[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Photometric:
    """The color changes of each image of a batch: `brightness` is added, in levels of 0..255; contrast and saturation
    are factors. 0, 1, 1 and 0 degrees change nothing.

    `content_px`, xyxy, is the part of the image that comes from a photograph. The rest is filled with the mean color
    after the colors have been changed, as the paper distorts before it zooms out.
    """

    brightness: Float[Tensor, " batch"] = field(repr=False)
    contrast: Float[Tensor, " batch"] = field(repr=False)
    saturation: Float[Tensor, " batch"] = field(repr=False)
    hue_degrees: Float[Tensor, " batch"] = field(repr=False)
    contrast_first: Bool[Tensor, " batch"] = field(repr=False)
    content_px: Int[Tensor, "batch 4"] = field(repr=False)

    def to(self, device: torch.device) -> "Photometric":
        return Photometric(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})

    def part(self, rows: slice) -> "Photometric":
        return Photometric(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Images at the network's size, RGB 0..255, with their objects. `image_ids` are for messages and reports; `skipped`
    has a message for each image that could not be read and was replaced by another.
    """

    images: UInt8[Tensor, "batch 3 height width"] = field(repr=False)
    targets: Targets = field(repr=False)
    image_ids: tuple[str, ...] = field(repr=False)
    photometric: Photometric | None = field(default=None, repr=False)
    skipped: tuple[str, ...] = field(default=(), repr=False)

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
