"""Default boxes: the fixed boxes that a detection is an offset from. Paper section 2.2, "Choosing scales".

Other codebases call them anchors or priors. Settings are data; `make_default_boxes` turns them into boxes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class DefaultBoxSettings:
    """The default boxes of a detector; each tuple but `variances` has one entry per feature map.

    A cell has a square of the map's size, a square of sqrt(size * next size), and one box of the first square's area
    per aspect ratio (width / height), in that order. `fitted_px` are the (width, height) of the boxes of a cell in
    place of these, see `fitted_boxes`; () for none. `steps_px` is the distance between the centers of neighboring
    cells, in pixels of the input image. `clip` limits values to 0..1: "all" limits center and size (not the corners)
    as many ports do, "size" the size alone as torchvision does, "none" is Caffe's recipe. `variances` divide the
    offsets of center and size, see `boxes.encode`.

    Raises:
        ValueError: a tuple has another length than `map_sizes`, a value is not above 0, or `fitted_px` have another
            number of boxes per cell than the rule gives.
    """

    image_size_px: int
    map_sizes: tuple[int, ...]
    steps_px: tuple[float, ...]
    sizes_px: tuple[float, ...]
    next_sizes_px: tuple[float, ...]
    aspect_ratios: tuple[tuple[float, ...], ...]
    clip: Literal["none", "size", "all"] = "none"
    variances: tuple[float, float] = (0.1, 0.2)  # ssd_pascal.py:328
    fitted_px: tuple[tuple[tuple[float, float], ...], ...] = ()

    def __post_init__(self) -> None:
        expected = len(self.map_sizes)
        for name in ("steps_px", "sizes_px", "next_sizes_px", "aspect_ratios"):
            if (got := len(getattr(self, name))) != expected:
                raise ValueError(f"DefaultBoxSettings.{name} has {got} entries; map_sizes has {expected}")
        for name in ("map_sizes", "steps_px", "sizes_px", "next_sizes_px", "variances"):
            if any(not value > 0 for value in getattr(self, name)):
                raise ValueError(f"DefaultBoxSettings.{name} is {getattr(self, name)}; every value must be above 0")
        if self.fitted_px and tuple(map(len, self.fitted_px)) != self.per_cell:
            raise ValueError(f"DefaultBoxSettings.fitted_px are {self.fitted_px}; a cell has {self.per_cell} boxes")
        if any(not value > 0 for shapes in self.fitted_px for shape in shapes for value in shape):
            raise ValueError(f"DefaultBoxSettings.fitted_px are {self.fitted_px}; every value must be above 0")

    @property
    def shapes_px(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Width and height of the boxes of a cell, for each map, in their order."""
        if self.fitted_px:
            return self.fitted_px
        shapes = []
        for size, next_size, ratios in zip(self.sizes_px, self.next_sizes_px, self.aspect_ratios, strict=True):
            middle = math.sqrt(size * next_size)
            by_ratio = ((size * math.sqrt(ratio), size / math.sqrt(ratio)) for ratio in ratios)
            shapes.append(((size, size), (middle, middle), *by_ratio))
        return tuple(shapes)

    @property
    def per_cell(self) -> tuple[int, ...]:
        """Boxes per cell of each map."""
        return tuple(2 + len(ratios) for ratios in self.aspect_ratios)

    @property
    def has_even_steps(self) -> bool:
        """Whether the centers of each map are spread evenly over the image."""
        pairs = zip(self.steps_px, self.map_sizes, strict=True)
        return all(math.isclose(step * cells, self.image_size_px) for step, cells in pairs)

    def fits_like(self, other: "DefaultBoxSettings") -> bool:
        """Whether the boxes of a cell are the same relative to the image, whatever the image sizes of the two are."""
        if (self.per_cell, self.clip, self.variances) != (other.per_cell, other.clip, other.variances):
            return False
        mine, its = (
            [side / one.image_size_px for of_map in one.shapes_px for shape in of_map for side in shape]
            for one in (self, other)
        )
        return all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(mine, its, strict=True))

    @property
    def count(self) -> int:
        """Boxes of all maps together."""
        return sum(size * size * boxes for size, boxes in zip(self.map_sizes, self.per_cell, strict=True))


def make_default_boxes(settings: DefaultBoxSettings) -> Float[Tensor, "boxes 4"]:
    """cxcywh, relative: map by map, row by row, cell by cell, in Caffe's order (prior_box_layer.cpp:140-190)."""
    maps = []
    image_size = settings.image_size_px
    for map_size, step, shapes in zip(settings.map_sizes, settings.steps_px, settings.shapes_px, strict=True):
        sizes = torch.tensor(shapes, dtype=torch.float64) / image_size
        centers = (torch.arange(map_size, dtype=torch.float64) + 0.5) * step / image_size
        cy, cx = torch.meshgrid(centers, centers, indexing="ij")
        grid = torch.stack([cx, cy], dim=-1).reshape(-1, 1, 2).expand(-1, len(shapes), 2)
        maps.append(torch.cat([grid, sizes.expand(len(grid), -1, 2)], dim=-1).reshape(-1, 4))
    boxes = torch.cat(maps).float()
    if settings.clip == "size":
        boxes[:, 2:].clamp_(0, 1)
    return boxes.clamp(0, 1) if settings.clip == "all" else boxes


_MAPS_300 = (38, 19, 10, 5, 3, 1)
_TWO, _TWO_AND_THREE = (2.0, 1 / 2), (2.0, 1 / 2, 3.0, 1 / 3)


def _caffe_300(sizes_px: Sequence[float]) -> DefaultBoxSettings:
    return DefaultBoxSettings(
        image_size_px=300,
        map_sizes=_MAPS_300,
        steps_px=(8.0, 16.0, 32.0, 64.0, 100.0, 300.0),
        sizes_px=tuple(sizes_px[:-1]),
        next_sizes_px=tuple(sizes_px[1:]),
        aspect_ratios=(_TWO, _TWO_AND_THREE, _TWO_AND_THREE, _TWO_AND_THREE, _TWO, _TWO),
    )


PAPER = _caffe_300((30.0, 60.0, 111.0, 162.0, 213.0, 264.0, 315.0))  # ssd_pascal.py:313-328
COCO = _caffe_300((21.0, 45.0, 99.0, 153.0, 207.0, 261.0, 315.0))  # ssd_coco.py
PAPER_CLIPPED, COCO_CLIPPED = replace(PAPER, clip="all"), replace(COCO, clip="all")  # amdegroot's and lufficc's
TORCHVISION = replace(COCO, clip="size")  # torchvision has COCO's sizes for all datasets


# ssd_pascal_512.py. Caffe's layer truncates sizes to whole pixels (prior_box_layer.cpp:149,163); all of Caffe's other
# sizes above are whole numbers already.
def _caffe_512(sizes_px: Sequence[float]) -> DefaultBoxSettings:
    return DefaultBoxSettings(
        image_size_px=512,
        map_sizes=(64, 32, 16, 8, 4, 2, 1),
        steps_px=(8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0),
        sizes_px=tuple(sizes_px[:-1]),
        next_sizes_px=tuple(sizes_px[1:]),
        aspect_ratios=(_TWO, *[_TWO_AND_THREE] * 4, _TWO, _TWO),
    )


SSD512 = _caffe_512((35.0, 76.0, 153.0, 230.0, 307.0, 384.0, 460.0, 537.0))
COCO_512 = _caffe_512((20.0, 51.0, 133.0, 215.0, 296.0, 378.0, 460.0, 542.0))  # ssd_coco.py for 512

_THEIR_TWO, _THEIR_TWO_AND_THREE = (2.0, 0.5), (2.0, 3.0, 0.5, 0.333)
_THEIR_SCALES = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9)

PYTORCH_SSD300 = DefaultBoxSettings(
    image_size_px=300,
    map_sizes=_MAPS_300,
    steps_px=tuple(300 / size for size in _MAPS_300),  # centers by map size, not by Caffe's steps
    sizes_px=tuple(300 * scale for scale in _THEIR_SCALES),
    # The last map's second square is the whole image: sqrt(size * next size) = 300.
    next_sizes_px=(*(300 * scale for scale in _THEIR_SCALES[1:]), 300 / _THEIR_SCALES[-1]),
    aspect_ratios=(
        _THEIR_TWO,
        _THEIR_TWO_AND_THREE,
        _THEIR_TWO_AND_THREE,
        _THEIR_TWO_AND_THREE,
        _THEIR_TWO,
        _THEIR_TWO,
    ),
    clip="all",
)

# By name: those that fit the heads of SSD300.
SETTINGS = {
    "paper": PAPER,
    "paper-clipped": PAPER_CLIPPED,
    "coco": COCO,
    "coco-clipped": COCO_CLIPPED,
    "torchvision": TORCHVISION,
    "pytorch-ssd300": PYTORCH_SSD300,
}
