"""The detectors by name: each combines a backbone, extra layers and heads. Downloads nothing."""

from collections.abc import Callable

from ssd300.model.backbone import VGG16, EfficientNetLite0
from ssd300.model.default_boxes import PAPER, DefaultBoxSettings
from ssd300.model.heads import PAPER_EXTRAS, ExtraLayers
from ssd300.model.ssd import CAFFE, LITE, SSD, Normalization


def ssd300_vgg16(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = CAFFE
) -> SSD:
    """SSD300 as in the paper. `num_classes` excludes background. Randomly initialized, as Caffe does it."""
    backbone = VGG16()
    extras = ExtraLayers(backbone.channels[-1], PAPER_EXTRAS)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


def ssd300_efficientnet_lite0(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = LITE
) -> SSD:
    """SSD300's maps and default boxes on EfficientNet-Lite0, small enough for training on a CPU.

    The backbone gives three of the six maps, so the first of the paper's extra layers is not needed. The extra layers
    have batch normalization. Needs the extra `light`.

    Raises:
        ImportError: timm is not installed.
    """
    backbone = EfficientNetLite0()
    extras = ExtraLayers(backbone.channels[-1], PAPER_EXTRAS[1:], batch_norm=True)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


BUILDERS: dict[str, Callable[..., SSD]] = {
    "ssd300_vgg16": ssd300_vgg16,
    "ssd300_efficientnet_lite0": ssd300_efficientnet_lite0,
}
