"""What decides a detector's layers, by name: what a configuration chooses, and what the card of weights states."""

from dataclasses import dataclass
from typing import Any

from ssd300.model.builders import BUILDERS, ssd300_timm
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.model.shapes import SHAPES, Shape, timm_shape
from ssd300.model.ssd import SSD, Normalization

ON_TIMM = "ssd300_timm"
MODELS = (*BUILDERS, ON_TIMM)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The name of a model, one of `MODELS`; and for 'ssd300_timm' its backbone, such as 'timm:resnet18'.

    `heads` are a `HeadKind`. Number of classes and default boxes, which have the image size, are given to `build`.
    """

    model: str
    backbone: str | None = None
    heads: str = "ssd"

    def __post_init__(self) -> None:
        if (self.model == ON_TIMM) != (self.backbone is not None):
            raise ValueError(f"{self.model} with the backbone {self.backbone}: {ON_TIMM} has one, and no other model")

    @property
    def shape(self) -> Shape:
        """Raises UsageError if timm does not have the backbone, ImportError if timm is not installed."""
        return SHAPES[self.model] if self.backbone is None else timm_shape(self.backbone)

    @property
    def options(self) -> str:
        """What a training that builds it is given, such as '--model ssd300_vgg16'."""
        return f"--model {self.model}" if self.backbone is None else f"--backbone {self.backbone}"

    def describe(self) -> str:
        """Such as 'ssd300_timm (timm:resnet18)'."""
        return self.model if self.backbone is None else f"{self.model} ({self.backbone})"

    def build(
        self, num_classes: int, *, settings: DefaultBoxSettings, normalization: Normalization | None = None
    ) -> SSD:
        """A randomly initialized detector; `normalization` None is the model's own. Raises what the builders raise."""
        own: dict[str, Any] = {"heads": self.heads}
        if normalization is not None:
            own["normalization"] = normalization
        if self.backbone is not None:
            return ssd300_timm(num_classes, backbone=self.backbone, settings=settings, **own)
        return BUILDERS[self.model](num_classes, settings=settings, **own)
