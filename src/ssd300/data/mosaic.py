"""Four images in one: mosaic, Bochkovskiy et al. 2020 (YOLOv4), arXiv 2004.10934.

An image shows objects of four, smaller than they are and in other surroundings. The mosaic is made before the usual
augmentation, which then crops it like any image. It takes the place of zooming out, which shows objects small too.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ssd300.types import Sample

CENTER = (0.3, 0.7)  # the range of the point where the four meet, of the width and the height


def sample_center(random: np.random.Generator) -> tuple[float, float]:
    """Where the four images meet, relative."""
    x, y = random.uniform(*CENTER, 2)
    return float(x), float(y)


def mosaic(samples: Sequence[Sample], center: tuple[float, float], size: int) -> Sample:
    """Four samples as one of size x size: left top, right top, left bottom, right bottom.

    Each is stretched to its quarter, as the network's images are stretched, and no object is dropped.
    """
    x, y = round(center[0] * size), round(center[1] * size)
    quarters = ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size))
    image = np.empty((size, size, 3), np.uint8)
    boxes = []
    for sample, (left, top, right, bottom) in zip(samples, quarters, strict=True):
        width, height = right - left, bottom - top
        scaled = Image.fromarray(sample.image).resize((width, height), Image.Resampling.BILINEAR)
        image[top:bottom, left:right] = np.asarray(scaled)
        scale = [width / sample.image.shape[1], height / sample.image.shape[0]] * 2
        boxes.append(sample.boxes_px * scale + [left, top, left, top])
    return Sample(
        image=image,
        boxes_px=np.concatenate(boxes),
        labels=np.concatenate([sample.labels for sample in samples]),
        difficult=np.concatenate([sample.difficult for sample in samples]),
        image_id=" + ".join(sample.image_id for sample in samples),
        size_hw=(size, size),
    )
