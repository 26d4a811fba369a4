"""The paper's data augmentation: the random changes of an image are sampled, and its geometry is applied in one resize.

Paper section 2.2, "Data augmentation", with the numbers of Caffe (ssd_pascal.py:175-221). Zoom-out and crop are first
composed into one rectangle of the image, then the pixels are resampled once and flipped. `photometric` changes colors
later, for a whole batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from PIL import Image

from ssd300.boxes import iou_px
from ssd300.types import Sample

PROBABILITY = 0.5  # of each color change, of zooming out, and of the flip
BRIGHTNESS = 32.0  # added, of 255
FACTORS = (0.5, 1.5)  # contrast and saturation
HUE_DEGREES = 36.0  # 18 on OpenCV's scale of 0..179
ZOOM_OUT = (1.0, 4.0)
CROP_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0)  # one sampler each; the last takes any crop
CROP_TRIALS = 50
CROP_SCALE = (0.3, 1.0)
CROP_ASPECT = (0.5, 2.0)
# OpenCV's linear, area, nearest, cubic and lanczos, by their names in Pillow and, where torch has them, in torch.
INTERPOLATIONS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BOX,
    Image.Resampling.NEAREST,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


def _torch_modes() -> dict[Image.Resampling, str]:
    """Those of them by which this torch resamples 8-bit images; older versions lack lanczos."""
    modes = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}
    try:
        F.interpolate(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), (2, 2), mode="lanczos", antialias=True)
    except (ValueError, NotImplementedError, RuntimeError):
        return modes
    return modes | {Image.Resampling.LANCZOS: "lanczos"}


IN_TORCH = _torch_modes()


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The random changes of one image. `source_px` is the rectangle that is shown, xyxy in whole pixels of the image;
    after zooming out it reaches outside of the image.
    """

    source_px: tuple[int, int, int, int]
    flip: bool
    interpolation: Image.Resampling
    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue_degrees: float = 0.0
    contrast_first: bool = True


def sample_augmentation(
    random: np.random.Generator,
    size_hw: tuple[int, int],
    boxes_px: Float[np.ndarray, "n 4"],
    *,
    zoom_out: bool = True,
) -> Augmentation:
    """Sample the changes of an image of `size_hw` with these objects. Without objects there is no crop, as in Caffe.

    `zoom_out` False leaves zooming out away, for an image that shows its objects small already.
    """
    height, width = size_hw
    size = np.array([width, height, width, height], dtype=np.float64)

    def chance(value: float, otherwise: float) -> float:
        return value if random.random() < PROBABILITY else otherwise

    brightness = chance(random.uniform(-BRIGHTNESS, BRIGHTNESS), 0.0)
    contrast = chance(random.uniform(*FACTORS), 1.0)
    saturation = chance(random.uniform(*FACTORS), 1.0)
    hue = chance(random.uniform(-HUE_DEGREES, HUE_DEGREES), 0.0)
    contrast_first = random.random() < PROBABILITY
    ratio = chance(random.uniform(*ZOOM_OUT), 1.0) if zoom_out else 1.0
    left, top = random.uniform(0, 1, 2) * (ratio - 1)
    # The canvas is `ratio` images wide and high; its left top corner is at (left, top), in images.
    boxes = (boxes_px / size + [left, top, left, top]) / ratio
    crop = sample_crop(random, boxes)
    source = np.round((crop * ratio - [left, top, left, top]) * size).astype(int)  # Caffe too cuts at whole pixels
    return Augmentation(
        source_px=(
            int(source[0]),
            int(source[1]),
            max(int(source[2]), int(source[0]) + 1),
            max(int(source[3]), int(source[1]) + 1),
        ),
        flip=bool(random.random() < PROBABILITY),
        interpolation=INTERPOLATIONS[random.integers(len(INTERPOLATIONS))],
        brightness=float(brightness),
        contrast=float(contrast),
        saturation=float(saturation),
        hue_degrees=float(hue),
        contrast_first=bool(contrast_first),
    )


def sample_crop(random: np.random.Generator, boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "4"]:
    """A crop: each sampler tries to find one whose IoU with some object is enough; one of those found, or the whole, is
    chosen. xyxy, relative as `boxes` are (sampler.cpp:86-160).
    """
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    if len(boxes) == 0:
        return whole
    shape = (len(CROP_OVERLAPS), CROP_TRIALS)
    scale = random.uniform(*CROP_SCALE, shape)
    low, high = np.maximum(CROP_ASPECT[0], scale**2), np.minimum(CROP_ASPECT[1], 1 / scale**2)
    aspect = low + random.random(shape) * (high - low)
    width, height = scale * np.sqrt(aspect), scale / np.sqrt(aspect)
    left, top = random.random(shape) * (1 - width), random.random(shape) * (1 - height)
    crops = np.stack([left, top, left + width, top + height], axis=-1)
    overlap = iou_px(crops[:, :, None], boxes).max(axis=-1)
    valid = overlap >= np.array(CROP_OVERLAPS)[:, None]
    found = [whole, *(crops[row, valid[row].argmax()] for row in np.flatnonzero(valid.any(axis=1)))]
    crop: np.ndarray = found[random.integers(len(found))]
    return crop


def apply_geometry(sample: Sample, augmentation: Augmentation, size: int) -> tuple[Sample, tuple[int, int, int, int]]:
    """The sample at size x size, and the rectangle in it (xyxy) that shows the photograph; the rest is black.

    Objects whose center is outside of the new image are dropped, the others are cut at its border. A crop that misses
    the photograph, as it may after zooming out, gives the rectangle (0, 0, 0, 0).
    """
    left, top, right, bottom = augmentation.source_px
    scale = np.array([size / (right - left), size / (bottom - top)] * 2)
    height, width = sample.image.shape[:2]
    inside = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    image = np.zeros((size, size, 3), np.uint8)
    content = (0, 0, 0, 0)
    if inside[0] < inside[2] and inside[1] < inside[3]:
        low = np.minimum(np.round((np.array(inside[:2]) - [left, top]) * scale[:2]), size - 1).astype(int)
        high = np.clip(np.round((np.array(inside[2:]) - [left, top]) * scale[:2]), low + 1, size).astype(int)
        content = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        photograph = sample.image[inside[1] : inside[3], inside[0] : inside[2]]
        shape = (content[3] - content[1], content[2] - content[0])
        pasted = resample(photograph, shape, augmentation.interpolation, flip=augmentation.flip)
        if augmentation.flip:
            content = (size - content[2], content[1], size - content[0], content[3])
        image[content[1] : content[3], content[0] : content[2]] = pasted

    boxes = (sample.boxes_px - [left, top, left, top]) * scale
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    kept = ((center > 0) & (center < size)).all(axis=1)
    boxes = np.clip(boxes[kept], 0, size)
    if augmentation.flip:
        boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], axis=1)
    changed = Sample(
        image=image,
        boxes_px=boxes,
        labels=sample.labels[kept],
        difficult=sample.difficult[kept],
        image_id=sample.image_id,
        size_hw=sample.size_hw,
    )
    return changed, content


def resample(
    image: UInt8[np.ndarray, "_ _ 3"], size_hw: tuple[int, int], interpolation: Image.Resampling, *, flip: bool = False
) -> UInt8[np.ndarray, "_ _ 3"]:
    """The image at another size, antialiased as by Pillow. Torch's kernels do it for the filters that torch has: they
    are faster, and differ by two levels of 255 at most on photographs. `flip` swaps left and right.
    """
    mode = IN_TORCH.get(interpolation)
    if mode is None or min(*image.shape[:2], *size_hw) < 2:  # torch's kernels fail on a single row or column
        small = Image.fromarray(image).resize((size_hw[1], size_hw[0]), interpolation)
        return np.asarray(small.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else small)
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[
        None
    ]  # a copy, as torch requires memory that it may write to
    resized = F.interpolate(pixels, size_hw, mode=mode, antialias=True)
    changed: np.ndarray = (resized.flip(3) if flip else resized)[0].permute(1, 2, 0).numpy()
    return changed
