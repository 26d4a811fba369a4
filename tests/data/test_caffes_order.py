"""Augmented photographs against a slow, literal rendering of Caffe's order: colors on 8-bit pixels of the whole
photograph, then the canvas, then the crop, then the resize (im_transforms.cpp, data_transformer.cpp).

The differences are listed in docs/differences.md.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from ssd300.data.augment import apply_geometry, sample_augmentation
from ssd300.data.augmented_images import Item
from ssd300.data.loader import collate
from ssd300.data.photometric import apply_photometric
from ssd300.images.read import read_image
from ssd300.types import Sample

pytestmark = pytest.mark.slow

SIZE = 300
MEAN = np.array([123, 117, 104], np.uint8)
PHOTOGRAPHS, DRAWS = 40, 3


def to_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def to_hsv(image):
    """OpenCV's 8-bit HSV: hue in 0..179, saturation and value in 0..255."""
    red, green, blue = np.moveaxis(image.astype(np.float64), 2, 0)
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma == 0, 1, chroma)
    degrees = np.select(
        [chroma == 0, value == red, value == green],
        [0, 60 * (green - blue) / safe, 120 + 60 * (blue - red) / safe],
        240 + 60 * (red - green) / safe,
    )
    saturation = np.where(value == 0, 0, 255 * chroma / np.where(value == 0, 1, value))
    return np.stack([np.rint(degrees % 360 / 2) % 180, np.rint(saturation), value], axis=2).astype(np.uint8)


def to_rgb(hsv):
    hue, saturation, value = np.moveaxis(hsv.astype(np.float64), 2, 0)
    channels = []
    for offset in (5, 3, 1):
        place = (offset + hue / 30) % 6
        channels.append(value - value * saturation / 255 * np.clip(np.minimum(place, 4 - place), 0, 1))
    return to_bytes(np.stack(channels, axis=2))


def distort(image, augmentation):
    contrast = [lambda x: to_bytes(x * augmentation.contrast)] if augmentation.contrast != 1 else []

    def saturate(pixels):
        hsv = to_hsv(pixels)
        hsv[..., 1] = to_bytes(hsv[..., 1] * augmentation.saturation)
        return to_rgb(hsv)

    def turn(pixels):
        hsv = to_hsv(pixels)
        hsv[..., 0] = to_bytes(hsv[..., 0] + augmentation.hue_degrees / 2)  # below 0 it stays at 0, as in Caffe
        return to_rgb(hsv)

    colors = ([saturate] if augmentation.saturation != 1 else []) + ([turn] if augmentation.hue_degrees != 0 else [])
    brightness = [lambda x: to_bytes(x + augmentation.brightness)]
    for step in brightness + (contrast + colors if augmentation.contrast_first else colors + contrast):
        image = step(image)
    return image


def literal(image, augmentation):
    left, top, right, bottom = augmentation.source_px
    height, width = image.shape[:2]
    canvas = np.empty((bottom - top, right - left, 3), np.uint8)
    canvas[:] = MEAN
    low_x, low_y, high_x, high_y = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if low_x < high_x and low_y < high_y:
        photograph = distort(image, augmentation)[low_y:high_y, low_x:high_x]
        canvas[low_y - top : high_y - top, low_x - left : high_x - left] = photograph
    small = np.asarray(Image.fromarray(canvas).resize((SIZE, SIZE), augmentation.interpolation))
    return small[:, ::-1] if augmentation.flip else small


def ours(sample, augmentation):
    changed, content = apply_geometry(sample, augmentation, SIZE)
    batch = collate([Item(changed, augmentation, content)])
    fill = torch.tensor(MEAN / 255, dtype=torch.float32)[:, None, None]
    return apply_photometric(batch.images, batch.photometric, fill)[0].permute(1, 2, 0).numpy() * 255


@pytest.fixture(scope="module")
def differences(voc_sample):
    """Each draw, with the mean difference of its image in levels of 255."""
    random = np.random.default_rng(0)
    found = []
    for path in sorted(voc_sample.rglob("*.jpg"))[:PHOTOGRAPHS]:
        image = read_image(path)
        height, width = image.shape[:2]
        box = np.array([[width * 0.2, height * 0.2, width * 0.7, height * 0.8]])
        sample = Sample(
            image=image,
            boxes_px=box,
            labels=np.zeros(1, np.int64),
            difficult=np.zeros(1, bool),
            image_id=path.stem,
            size_hw=(height, width),
        )
        for _ in range(DRAWS):
            augmentation = sample_augmentation(random, (height, width), box)
            found.append(
                (augmentation, float(np.abs(ours(sample, augmentation) - literal(image, augmentation)).mean()))
            )
    return found


def test_photographs_are_caffes_to_a_level_of_255(differences):
    assert len(differences) == DRAWS * PHOTOGRAPHS
    assert np.mean([difference for _, difference in differences]) < 1.0


def test_no_draw_goes_astray(differences):
    """Nearest neighbors, and boxes when they enlarge, jump by whole pixels where the photograph's edge is rounded."""
    jumping = (Image.Resampling.NEAREST, Image.Resampling.BOX)
    assert (
        max(difference for augmentation, difference in differences if augmentation.interpolation not in jumping) < 4.0
    )
    assert max(difference for _, difference in differences) < 8.0
