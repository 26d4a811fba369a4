"""Datasets of small images, and shards of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from conftest import object_xml, write_voc
from ssd300.cli import main

SHARD = "21KB"  # of four or five of these images


def write_dataset(root: Path, *, train: int = 23, test: int = 3) -> Path:
    """A VOC folder of images of 40 x 30 pixels, with 0 to 2 objects of two classes."""
    random = np.random.default_rng(0)
    (root / "JPEGImages").mkdir(parents=True)
    objects = {}
    names = [f"t{number:02}" for number in range(train)] + [f"e{number}" for number in range(test)]
    for number, name in enumerate(names):
        pixels = random.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=95)
        (root / f"JPEGImages/{name}.jpg").write_bytes(file.getvalue())
        boxes = [(1 + number % 5, 2, 20 + number % 7, 25), (15, 3, 38, 12 + number % 9)][: number % 3]
        extra = "<difficult>1</difficult>" if number % 4 == 0 else ""
        objects[name] = "".join(object_xml(("nut", "bolt")[row], box, extra) for row, box in enumerate(boxes))
    splits = {"train": names[:train], "test": names[train:]}
    return write_voc(root, objects, {name: ids for name, ids in splits.items() if ids}, size=(30, 40))


def pack(data: Path, out: Path | str, *more: str, size: str = SHARD) -> str:
    """Shards by the command line; returns their place."""
    assert main(["shard", str(data), "--out", str(out), "--size", size, *more]) == 0
    return str(out)
