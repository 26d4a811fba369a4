"""Two images on top of each other: mixup, Zhang et al. 2018, arXiv 1710.09412; for detection Zhang et al. 2019,
arXiv 1902.04103.

The pixels are a weighted mean of two augmented images, and the objects are those of both.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ssd300.types import Sample

# Both parameters of the beta distribution of the share, as in YOLOv5: it is close to one half, so that no object is too
# faint to count in full. The detection paper has 1.5, and weighs the losses of objects by the share.
BETA = 32.0
Rectangle = tuple[int, int, int, int]


def sample_share(random: np.random.Generator) -> float:
    """The share of the first image."""
    return float(random.beta(BETA, BETA))


def mixup(
    first: Sample, second: Sample, share: float, contents_px: tuple[Rectangle, Rectangle]
) -> tuple[Sample, Rectangle]:
    """The mean of two samples of one size, with `share` of the first, and the rectangle (xyxy) around both photographs.

    `contents_px` are the rectangles that show the photographs, as of `apply_geometry`. Where only one of them is, it is
    seen in full; where none is, the image is black.
    """
    weights = share * _inside(first, contents_px[0]), (1 - share) * _inside(second, contents_px[1])
    total = np.maximum(weights[0] + weights[1], np.finfo(np.float32).tiny)
    mean = (first.image * weights[0] + second.image * weights[1]) / total
    mixed = Sample(
        image=np.round(mean).astype(np.uint8),
        boxes_px=np.concatenate([first.boxes_px, second.boxes_px]),
        labels=np.concatenate([first.labels, second.labels]),
        difficult=np.concatenate([first.difficult, second.difficult]),
        image_id=f"{first.image_id} + {second.image_id}",
        size_hw=first.size_hw,
    )
    return mixed, _around([content for content in contents_px if content[2] > content[0]])


def _around(rectangles: Sequence[Rectangle]) -> Rectangle:
    if not rectangles:
        return (0, 0, 0, 0)
    lefts, tops, rights, bottoms = zip(*rectangles, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _inside(sample: Sample, content_px: Rectangle) -> Float[np.ndarray, "h w 1"]:
    """1 in the rectangle, 0 outside of it."""
    left, top, right, bottom = content_px
    inside = np.zeros((*sample.image.shape[:2], 1), np.float32)
    inside[top:bottom, left:right] = 1
    return inside
