"""The detectors by name: each combines a backbone, extra layers and heads. Downloads nothing."""

from collections.abc import Callable

from ssd300.model.backbone import VGG16, TimmBackbone
from ssd300.model.default_boxes import PAPER, SSD512, DefaultBoxSettings
from ssd300.model.heads import ExtraLayers, HeadKind
from ssd300.model.pyramid import Pyramid
from ssd300.model.shapes import SHAPES, Shape, timm_shape
from ssd300.model.ssd import CAFFE, LITE, SSD, Normalization
from ssd300.model.timm_networks import timm_name, usual_normalization


def ssd300_vgg16(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = PAPER,
    normalization: Normalization = CAFFE,
    heads: HeadKind = "ssd",
) -> SSD:
    """SSD300 as in the paper. `num_classes` excludes background. Randomly initialized, as Caffe does it.

    `settings` set the image size, see `shapes`. Raises ValueError if they have other maps than the network has then,
    or for other heads than "ssd".
    """
    return _on_vgg16("ssd300_vgg16", num_classes, settings, normalization, heads)


def ssd512_vgg16(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = SSD512,
    normalization: Normalization = CAFFE,
    heads: HeadKind = "ssd",
) -> SSD:
    """The paper's second detector: an image of 512 pixels, seven maps, 24,564 default boxes. Else as `ssd300_vgg16`."""
    return _on_vgg16("ssd512_vgg16", num_classes, settings, normalization, heads)


def ssd300_efficientnet_lite0(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = PAPER,
    normalization: Normalization = LITE,
    heads: HeadKind = "ssd",
) -> SSD:
    """SSD300's maps and default boxes on EfficientNet-Lite0, small enough for training on a CPU.

    The extra layers have batch normalization. With `heads` "ssdlite" they and the heads are depthwise-separable. Needs
    the extra `light`.

    Raises:
        ImportError: timm is not installed.
        ValueError: `settings` have other maps than the network has.
    """
    return _on_lite("ssd300_efficientnet_lite0", num_classes, settings, normalization, heads)


def ssd300_efficientnet_lite1(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = PAPER,
    normalization: Normalization = LITE,
    heads: HeadKind = "ssd",
) -> SSD:
    """A deeper backbone than that of `ssd300_efficientnet_lite0`; else the same."""
    return _on_lite("ssd300_efficientnet_lite1", num_classes, settings, normalization, heads)


def ssd300_efficientnet_lite2(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = PAPER,
    normalization: Normalization = LITE,
    heads: HeadKind = "ssd",
) -> SSD:
    """A deeper and wider backbone than that of `ssd300_efficientnet_lite0`; else the same."""
    return _on_lite("ssd300_efficientnet_lite2", num_classes, settings, normalization, heads)


def ssd300_timm(
    num_classes: int,
    *,
    backbone: str,
    settings: DefaultBoxSettings | None = None,
    normalization: Normalization | None = None,
    heads: HeadKind = "ssd",
) -> SSD:
    """SSD300's maps and default boxes on any network of timm, 'timm:NAME', with maps at strides 8, 16 and 32.

    Layers and `heads` are as in `ssd300_efficientnet_lite0`. The normalization of images is that of timm's weights, if
    none is given. Needs the extra `light`.

    Raises:
        ImportError: timm is not installed.
        UsageError: timm has no such network, or it has no such maps, or cannot process images of this size.
        ValueError: `settings` have other maps than the network has.
    """
    name, shape = timm_name(backbone), timm_shape(backbone)
    if normalization is None:
        mean, std = usual_normalization(name)
        normalization = Normalization(mean=mean, std=std)
    settings = settings or shape.default_boxes("paper")
    return _on_timm(name, shape, num_classes, settings, normalization, heads)


def ssd_lite0_fpn(
    num_classes: int,
    *,
    settings: DefaultBoxSettings = PAPER,
    normalization: Normalization = LITE,
    heads: HeadKind = "ssd",
) -> SSD:
    """As `ssd300_efficientnet_lite0`, with a pyramid between the backbone and the other layers."""
    shape = SHAPES["ssd_lite0_fpn"]
    return _on_timm("tf_efficientnet_lite0", shape, num_classes, settings, normalization, heads, has_pyramid=True)


def _on_vgg16(
    name: str, num_classes: int, settings: DefaultBoxSettings, normalization: Normalization, heads: HeadKind
) -> SSD:
    if heads != "ssd":
        # They need batch normalization, which VGG16 lacks, and would save a twentieth of its work.
        raise ValueError(f"heads is {heads}; {name} is the paper's detector, with heads ssd")
    backbone = VGG16()
    extras = _extras(SHAPES[name], backbone.channels[-1], settings)
    return SSD(backbone, extras, num_classes=num_classes, settings=settings, normalization=normalization)


def _on_lite(
    name: str, num_classes: int, settings: DefaultBoxSettings, normalization: Normalization, heads: HeadKind
) -> SSD:
    network = name.replace("ssd300", "tf")
    return _on_timm(network, SHAPES[name], num_classes, settings, normalization, heads)


def _on_timm(
    network: str,
    shape: Shape,
    num_classes: int,
    settings: DefaultBoxSettings,
    normalization: Normalization,
    heads: HeadKind,
    *,
    has_pyramid: bool = False,
) -> SSD:
    backbone = TimmBackbone(network)
    pyramid = Pyramid(backbone.channels) if has_pyramid else None
    extras = _extras(shape, (pyramid or backbone).channels[-1], settings, batch_norm=True, heads=heads)
    return SSD(
        backbone,
        extras,
        num_classes=num_classes,
        settings=settings,
        normalization=normalization,
        pyramid=pyramid,
        heads=heads,
    )


def _extras(
    shape: Shape, channels: int, settings: DefaultBoxSettings, *, batch_norm: bool = False, heads: HeadKind = "ssd"
) -> ExtraLayers:
    shape.check(settings)
    return ExtraLayers(channels, shape.extras(settings.image_size_px), batch_norm=batch_norm, kind=heads)


# By name: those that need no more than a number of classes.
BUILDERS: dict[str, Callable[..., SSD]] = {
    "ssd300_vgg16": ssd300_vgg16,
    "ssd512_vgg16": ssd512_vgg16,
    "ssd300_efficientnet_lite0": ssd300_efficientnet_lite0,
    "ssd_lite0_fpn": ssd_lite0_fpn,
    "ssd300_efficientnet_lite1": ssd300_efficientnet_lite1,
    "ssd300_efficientnet_lite2": ssd300_efficientnet_lite2,
}
