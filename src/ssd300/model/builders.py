"""The detectors by name: each puts a backbone, extra layers and heads together. Needs no network."""

from collections.abc import Callable

from ssd300.model.backbone import VGG16, EfficientNetLite0
from ssd300.model.default_boxes import PAPER, DefaultBoxSettings
from ssd300.model.heads import PAPER_EXTRAS, ExtraLayers
from ssd300.model.ssd import CAFFE, LITE, SSD, Normalization


def ssd300_vgg16(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = CAFFE
) -> SSD:
    """SSD300 as in the paper. `num_classes` is without background; weights are drawn as Caffe draws them."""
    backbone = VGG16()
    extras = ExtraLayers(backbone.channels[-1], PAPER_EXTRAS)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


def ssd300_efficientnet_lite0(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = LITE
) -> SSD:
    """The same detector on EfficientNet-Lite0, small enough to be trained on a CPU. Needs the extra `light`.

    The backbone gives three of the six maps, so the first of the paper's extra layers is left out.
    """
    backbone = EfficientNetLite0()
    extras = ExtraLayers(backbone.channels[-1], PAPER_EXTRAS[1:], batch_norm=True)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


BUILDERS: dict[str, Callable[..., SSD]] = {
    "ssd300_vgg16": ssd300_vgg16,
    "ssd300_efficientnet_lite0": ssd300_efficientnet_lite0,
}
