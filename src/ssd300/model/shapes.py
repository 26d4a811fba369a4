"""The maps of each detector at any image size, and default boxes for them.

The network decides the sizes of the maps: the backbone's are the image divided by their strides, rounded up in most
networks, and each extra layer shrinks the last map further. Default boxes are scaled with the image.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ssd300.model.default_boxes import COCO_512, SETTINGS, SSD512, DefaultBoxSettings
from ssd300.model.heads import Extra
from ssd300.model.pyramid import WIDTH
from ssd300.model.timm_networks import STRIDES, cells, timm_name

SMALLEST_VALID, LARGEST_VALID = 3, 5  # cells of a map that a 3x3 convolution without padding shrinks, as in SSD300
OUTSIDE = 1 / 8  # of a step: so far is the last center of SSD300's third map outside of the image


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides the maps of a detector: `strides` of the backbone's, and (squeeze, width) of each extra layer.

    `image_size_px` is the usual size, of the default boxes in `boxes`. `ends_with_4x4` is SSD512's last layer.
    `rounded` gives the sizes of the backbone's maps at an image size, if they may be rounded in another way than up.
    """

    image_size_px: int
    strides: tuple[int, ...]
    widths: tuple[tuple[int, int], ...]
    boxes: Mapping[str, DefaultBoxSettings]
    ends_with_4x4: bool = False
    rounded: Callable[[int], tuple[int, ...]] | None = None

    def extras(self, image_size_px: int) -> list[Extra]:
        """The extra layers. Those of SSD300 halve a map of more than 5 cells, and take a border off a smaller one.

        SSD512's halve all maps but the last. The shapes of weights do not depend on the image size.
        """
        cells = self._of_backbone(image_size_px)[-1]
        layers = []
        for number, (squeeze, width) in enumerate(self.widths, start=1):
            if self.ends_with_4x4 and number == len(self.widths):
                layer = Extra(squeeze, width, 1, 1, 4) if cells > 1 else Extra(squeeze, width, 2, 2, 4)
            elif not self.ends_with_4x4 and SMALLEST_VALID <= cells <= LARGEST_VALID:
                layer = Extra(squeeze, width, 1, 0)
            else:
                layer = Extra(squeeze, width, 2, 1)
            cells = layer.cells(cells)
            layers.append(layer)
        return layers

    def map_sizes(self, image_size_px: int) -> tuple[int, ...]:
        """Cells along a side of each map."""
        sizes = [*self._of_backbone(image_size_px)]
        for layer in self.extras(image_size_px):
            sizes.append(layer.cells(sizes[-1]))
        return tuple(sizes)

    def _of_backbone(self, image_size_px: int) -> tuple[int, ...]:
        if self.rounded is not None:
            return self.rounded(image_size_px)
        return tuple(-(-image_size_px // stride) for stride in self.strides)

    def default_boxes(self, name: str, image_size_px: int | None = None) -> DefaultBoxSettings:
        """The default boxes of that name, for an image size; None is the usual one.

        Raises ValueError for a name that this detector does not have.
        """
        if name not in self.boxes:
            raise ValueError(f"default_boxes is {name}; this model has {', '.join(self.boxes)}")
        return self.scaled(self.boxes[name], self.image_size_px if image_size_px is None else image_size_px)

    def scaled(self, boxes: DefaultBoxSettings, image_size_px: int) -> DefaultBoxSettings:
        """Default boxes for one image size, in the same proportion to the image at another one.

        Centers that follow the strides do so at the other size too, also where both rules agree, as at 512 pixels.
        Raises ValueError if they are for another number of maps.
        """
        sizes = self.map_sizes(image_size_px)
        if len(sizes) != len(boxes.map_sizes):
            raise ValueError(f"the default boxes are for {len(boxes.map_sizes)} maps; this model has {len(sizes)}")
        if image_size_px == boxes.image_size_px and sizes == boxes.map_sizes:
            return boxes
        scale = image_size_px / boxes.image_size_px
        even = boxes.has_even_steps and boxes.steps_px != self._steps(boxes.image_size_px, even=False)
        return replace(
            boxes,
            image_size_px=image_size_px,
            map_sizes=sizes,
            steps_px=self._steps(image_size_px, even=even),
            sizes_px=tuple(value * scale for value in boxes.sizes_px),
            next_sizes_px=tuple(value * scale for value in boxes.next_sizes_px),
            fitted_px=tuple(tuple((w * scale, h * scale) for w, h in of_map) for of_map in boxes.fitted_px),
        )

    def _steps(self, size: int, *, even: bool) -> tuple[float, ...]:
        """The stride, as Caffe has it, up to the first layer that takes a border off; then centers are spread evenly.

        So they are with `even`, and where the last one would be far outside of the image.
        """
        strides: list[int | None] = [*self.strides]
        for layer in self.extras(size):
            strides.append(strides[-1] * 2 if strides[-1] and layer.stride == 2 else None)
        return tuple(
            float(stride) if stride and not even and (cells - 0.5 - OUTSIDE) * stride <= size else size / cells
            for stride, cells in zip(strides, self.map_sizes(size), strict=True)
        )

    def check(self, settings: DefaultBoxSettings) -> None:
        """Raises ValueError if default boxes have other maps than the network at their image size."""
        wanted = self.map_sizes(settings.image_size_px)
        if settings.map_sizes != wanted:
            raise ValueError(f"the default boxes have maps of {settings.map_sizes} cells; the network has {wanted}")


_SSD300_EXTRAS = ((256, 512), (128, 256), (128, 256), (128, 256))  # conv8 to conv11

# The backbone gives three of the six maps, so the first of the paper's extra layers is not needed.
_THREE_MAPS = Shape(image_size_px=300, strides=STRIDES, widths=_SSD300_EXTRAS[1:], boxes=SETTINGS)

SHAPES = {
    "ssd300_vgg16": Shape(image_size_px=300, strides=(8, 16), widths=_SSD300_EXTRAS, boxes=SETTINGS),
    "ssd300_efficientnet_lite0": _THREE_MAPS,
    "ssd512_vgg16": Shape(  # ssd_pascal_512.py
        image_size_px=512,
        strides=(8, 16),
        widths=((256, 512), *[(128, 256)] * 4),
        boxes={
            "paper": SSD512,
            "paper-clipped": replace(SSD512, clip="all"),
            "coco": COCO_512,
            "coco-clipped": replace(COCO_512, clip="all"),
        },
        ends_with_4x4=True,
    ),
    "ssd_lite0_fpn": Shape(image_size_px=300, strides=STRIDES, widths=((WIDTH, WIDTH),) * 3, boxes=SETTINGS),
    "ssd300_efficientnet_lite1": _THREE_MAPS,
    "ssd300_efficientnet_lite2": _THREE_MAPS,
}


def timm_shape(backbone: str) -> Shape:
    """That of a detector on 'timm:NAME'. Raises UsageError if timm has no such network."""
    return replace(_THREE_MAPS, rounded=partial(cells, timm_name(backbone)))
