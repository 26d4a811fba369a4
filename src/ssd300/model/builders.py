"""The detectors by name: each combines a backbone, extra layers and heads. Downloads nothing."""

from collections.abc import Callable

from ssd300.model.backbone import VGG16, EfficientNetLite0
from ssd300.model.default_boxes import PAPER, SSD512, DefaultBoxSettings
from ssd300.model.heads import ExtraLayers
from ssd300.model.shapes import SHAPES
from ssd300.model.ssd import CAFFE, LITE, SSD, Normalization


def ssd300_vgg16(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = CAFFE
) -> SSD:
    """SSD300 as in the paper. `num_classes` excludes background. Randomly initialized, as Caffe does it.

    `settings` set the image size, see `shapes`. Raises ValueError if they have other maps than the network has then.
    """
    return _on_vgg16("ssd300_vgg16", num_classes, settings, normalization)


def ssd512_vgg16(
    num_classes: int, *, settings: DefaultBoxSettings = SSD512, normalization: Normalization = CAFFE
) -> SSD:
    """The paper's second detector: an image of 512 pixels, seven maps, 24,564 default boxes. Else as `ssd300_vgg16`."""
    return _on_vgg16("ssd512_vgg16", num_classes, settings, normalization)


def ssd300_efficientnet_lite0(
    num_classes: int, *, settings: DefaultBoxSettings = PAPER, normalization: Normalization = LITE
) -> SSD:
    """SSD300's maps and default boxes on EfficientNet-Lite0, small enough for training on a CPU.

    The extra layers have batch normalization. Needs the extra `light`.

    Raises:
        ImportError: timm is not installed.
        ValueError: as `ssd300_vgg16`.
    """
    backbone = EfficientNetLite0()
    extras = _extras("ssd300_efficientnet_lite0", backbone.channels[-1], settings, batch_norm=True)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


def _on_vgg16(name: str, num_classes: int, settings: DefaultBoxSettings, normalization: Normalization) -> SSD:
    backbone = VGG16()
    extras = _extras(name, backbone.channels[-1], settings)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


def _extras(name: str, channels: int, settings: DefaultBoxSettings, *, batch_norm: bool = False) -> ExtraLayers:
    SHAPES[name].check(settings)
    return ExtraLayers(channels, SHAPES[name].extras(settings.image_size_px), batch_norm=batch_norm)


BUILDERS: dict[str, Callable[..., SSD]] = {
    "ssd300_vgg16": ssd300_vgg16,
    "ssd512_vgg16": ssd512_vgg16,
    "ssd300_efficientnet_lite0": ssd300_efficientnet_lite0,
}
