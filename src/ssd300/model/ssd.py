"""The Single Shot MultiBox Detector: images in, class logits and box offsets for the default boxes out.

Does not know matching and loss. Paper section 2.1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model.default_boxes import DefaultBoxSettings, make_default_boxes
from ssd300.model.heads import ExtraLayers, HeadKind, Heads
from ssd300.model.predictions import Predictions
from ssd300.model.pyramid import Pyramid


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """RGB in 0..1 becomes (x - mean) / std. It must be the one that the backbone's weights were trained with."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


CAFFE = Normalization(mean=(123 / 255, 117 / 255, 104 / 255), std=(1 / 255, 1 / 255, 1 / 255))  # ssd_pascal.py:178
IMAGENET = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))  # torchvision
LITE = Normalization(mean=(0.498, 0.498, 0.498), std=(0.502, 0.502, 0.502))  # EfficientNet-Lite: 127 and 128 of 255
NONE = Normalization(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))  # pytorch-SSD300's training
# By name: those that weights of VGG16 have.
NORMALIZATIONS = {"caffe": CAFFE, "imagenet": IMAGENET, "none": NONE}


class SSD(nn.Module):
    """Backbone, extra layers and heads, with normalization and default boxes as buffers; some have a pyramid as well.

    `default_boxes` are cxcywh, relative. The buffers follow `to(device)` and are not in the state dict. Convolutions
    are in channels_last, which is faster on CPUs.

    Raises:
        ValueError: `num_classes`, which excludes background, is below 1.
    """

    mean: Tensor
    std: Tensor
    default_boxes: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        extras: ExtraLayers,
        *,
        num_classes: int,
        settings: DefaultBoxSettings,
        normalization: Normalization,
        pyramid: Pyramid | None = None,
        heads: HeadKind = "ssd",
    ) -> None:
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes is {num_classes}; it counts the classes without background, 1 or more")
        self.num_classes = num_classes
        self.settings = settings
        self.backbone = backbone
        self.pyramid = pyramid
        self.extras = extras
        first = (pyramid or backbone).channels
        self.heads = Heads((*first, *extras.channels), settings.per_cell, num_classes + 1, kind=heads)  # type: ignore[misc]  # nn.Module types attributes as Tensor | Module
        self.register_buffer("default_boxes", make_default_boxes(settings), persistent=False)
        self.register_buffer("mean", torch.empty(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.empty(3, 1, 1), persistent=False)
        self.set_normalization(normalization)
        self.to(memory_format=torch.channels_last)

    def set_normalization(self, normalization: Normalization) -> None:
        """Replace the normalization, in place."""
        self.normalization = normalization
        self.mean.copy_(torch.tensor(normalization.mean).reshape(3, 1, 1))
        self.std.copy_(torch.tensor(normalization.std).reshape(3, 1, 1))

    def set_default_boxes(self, settings: DefaultBoxSettings) -> None:
        """Replace the default boxes, in place. Raises ValueError if they are not as many for each map and cell."""
        if settings == self.settings:
            return
        for name in ("image_size_px", "map_sizes", "per_cell"):
            if (got := getattr(settings, name)) != (has := getattr(self.settings, name)):
                raise ValueError(f"the default boxes have {name} {got}; the detector has {has}")
        self.settings = settings
        self.default_boxes.copy_(make_default_boxes(settings))

    def forward(self, images: Float[Tensor, "batch 3 h w"]) -> Predictions:
        """Predictions for RGB images in 0..1, of `settings.image_size_px` squared.

        The type is the same in training and in evaluation mode; the numbers differ only where the backbone or the
        extra layers have batch normalization.

        Raises:
            ValueError: the images have another shape.
        """
        size = self.settings.image_size_px
        if images.shape[1:] != (3, size, size):
            raise ValueError(f"images have shape {tuple(images.shape)}; this network takes (batch, 3, {size}, {size})")
        normalized = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        maps: list[Tensor] = self.backbone(normalized)
        if self.pyramid is not None:
            maps = self.pyramid(maps)
        return self.heads([*maps, *self.extras(maps[-1])])  # type: ignore[no-any-return]  # nn.Module's call is untyped
