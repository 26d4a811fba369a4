"""Annotated images made by hand, with their files."""

from collections import Counter
from pathlib import Path

from PIL import Image

from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages, AnnotatedObject

GROUND = (10, 20, 30)


def an_object(name="dog", box_px=(10, 10, 60, 50), *, difficult=False, fault=None):
    return AnnotatedObject(name=name, box_px=tuple(map(float, box_px)), difficult=difficult, fault=fault)


def an_image(folder: Path, image_id: str, *objects, size_wh=(240, 160)):
    """With a file of one color, which depends on the id."""
    path = folder / f"{image_id}.png"
    Image.new("RGB", size_wh, (*GROUND[:2], GROUND[2] + sum(map(ord, image_id)) % 200)).save(path)
    return AnnotatedImage(
        image_id=image_id,
        image_path=path,
        size_hw=size_wh[::-1],
        objects=objects,
        where=str(folder / f"{image_id}.xml"),
    )


def a_split(name: str, *images):
    return AnnotatedImages(
        images=images, split=name, notes=(), classes=None, count_names=Counter, find_images="Look for them."
    )
