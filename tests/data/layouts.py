"""Small datasets in every layout, to which tests add what does not belong there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from conftest import object_xml
from ssd300.cli import main

WIDE, HIGH = 40, 30
BOX = (2, 3, 20, 21)  # xyxy, half-open
TWO = (BOX, (5, 5, 12, 9))
# The boxes of each image, by split.
USUAL = {"train": {"a": TWO, "b": (BOX,), "empty": ()}, "val": {"c": (BOX,)}}


def photo(path):
    """An image that no other one is like."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, str(path)))
    pixels = np.random.default_rng(seed).integers(0, 255, (HIGH, WIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


def text(path, content=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def xml(path, boxes, size=(WIDE, HIGH)):
    objects = "".join(object_xml("red", (x1 + 1, y1 + 1, x2, y2)) for x1, y1, x2, y2 in boxes)
    text(path, f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{objects}</annotation>")


def lines(path, boxes):
    rows = [
        f"0 {(x1 + x2) / 2 / WIDE} {(y1 + y2) / 2 / HIGH} {(x2 - x1) / WIDE} {(y2 - y1) / HIGH}\n"
        for x1, y1, x2, y2 in boxes
    ]
    text(path, "".join(rows))


def coco(path, images):
    """`images` maps file names to boxes."""
    entries = [{"id": n, "file_name": name, "width": WIDE, "height": HIGH} for n, name in enumerate(images)]
    boxes = [(n, box) for n, found in enumerate(images.values()) for box in found]
    objects = [
        {"id": n, "image_id": owner, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for n, (owner, (x1, y1, x2, y2)) in enumerate(boxes)
    ]
    content = {"images": entries, "annotations": objects, "categories": [{"id": 1, "name": "red"}]}
    text(path, json.dumps(content))


def voc(root, splits):
    for split, images in splits.items():
        for name, boxes in images.items():
            photo(root / f"JPEGImages/{name}.jpg")
            xml(root / f"Annotations/{name}.xml", boxes)
        text(root / f"ImageSets/Main/{split}.txt", "".join(f"{name}\n" for name in images))


def voc_beside(root, splits):
    for split, images in splits.items():
        for name, boxes in images.items():
            photo(root / f"{name}.jpg")
            xml(root / f"{name}.xml", boxes)
        text(root / f"{split}.txt", "".join(f"{name}.jpg\n" for name in images))


def voc_folders(root, splits):
    for split, images in splits.items():
        for name, boxes in images.items():
            photo(root / split / f"{name}.jpg")
            xml(root / split / f"{name}.xml", boxes)


def coco_usual(root, splits):
    for split, images in splits.items():
        for name in images:
            photo(root / f"images/{name}.jpg")
        coco(root / f"annotations/instances_{split}.json", {f"{name}.jpg": boxes for name, boxes in images.items()})


def coco_roboflow(root, splits):
    for split, images in splits.items():
        for name in images:
            photo(root / split / f"{name}.jpg")
        coco(root / split / "_annotations.coco.json", {f"{name}.jpg": boxes for name, boxes in images.items()})


def yolo(root, splits):
    for split, images in splits.items():
        for name, boxes in images.items():
            photo(root / f"images/{split}/{name}.jpg")
            lines(root / f"labels/{split}/{name}.txt", boxes)
    text(root / "data.yaml", yaml.safe_dump({split: f"images/{split}" for split in splits} | {"names": ["red"]}))


def yolo_lists(root, splits):
    for split, images in splits.items():
        for name, boxes in images.items():
            photo(root / f"images/{name}.jpg")
            lines(root / f"labels/{name}.txt", boxes)
        text(root / f"{split}.txt", "".join(f"./images/{name}.jpg\n" for name in images))
    places = {split: f"{split}.txt" for split in splits}
    text(root / "data.yaml", yaml.safe_dump(places | {"names": ["red"], "path": f"../{root.name}"}))


def lists(root, splits):
    for split, images in splits.items():
        for name in images:
            photo(root / f"images/{name}.jpg")
        part = {"train": "TRAIN", "val": "TEST"}[split]
        objects = [
            {"boxes": [[x1, y1, x2 - 1, y2 - 1] for x1, y1, x2, y2 in boxes], "labels": [1] * len(boxes),
             "difficulties": [0] * len(boxes)}
            for boxes in images.values()
        ]  # fmt: skip
        text(root / f"{part}_images.json", json.dumps([f"images/{name}.jpg" for name in images]))
        text(root / f"{part}_objects.json", json.dumps(objects))
    text(root / "label_map.json", json.dumps({"red": 1, "background": 0}))


WITHOUT_LABEL, WITHOUT_IMAGE = "image-without-annotation", "annotation-without-image"


@dataclass(frozen=True)
class Layout:
    """How a dataset is written, where images and labels are in it, and how a label of an image is written.

    `bare` is the rule for an image without label, `deep` for one in a folder without labeled images, if it is another,
    `orphan` that for a label without image, `unlisted` are those for an
    image and label that no split has. "used": it is read, and reported as its image is.
    """

    write: Callable[..., None]
    images: str
    labels: str
    label: Callable[[Path, tuple], None] | None = None
    suffix: str = ""
    bare: str = WITHOUT_LABEL
    deep: str = ""
    orphan: str = ""
    unlisted: tuple[str, str] = ("unlisted-image", "unlisted-annotation")


LAYOUTS = {
    "voc": Layout(voc, "JPEGImages", "Annotations", xml, ".xml", orphan=WITHOUT_IMAGE),
    "voc_beside": Layout(voc_beside, ".", ".", xml, ".xml", orphan=WITHOUT_IMAGE),
    "voc_folders": Layout(
        voc_folders,
        "train",
        "train",
        xml,
        ".xml",
        bare="annotation",
        deep=WITHOUT_LABEL,
        orphan="used",
        unlisted=("used", "used"),
    ),  # nothing excludes an image
    "coco": Layout(coco_usual, "images", "annotations"),
    "coco_roboflow": Layout(coco_roboflow, "train", "train"),
    "yolo": Layout(
        yolo,
        "images/train",
        "labels/train",
        lines,
        ".txt",
        bare="used",
        orphan=WITHOUT_IMAGE,
        unlisted=("used", "used"),
    ),
    "yolo_lists": Layout(yolo_lists, "images", "labels", lines, ".txt", orphan=WITHOUT_IMAGE),
    "lists": Layout(lists, "images", "."),
}


def check(capsys, *words):
    """What `ssd300 check --json` finds without reading images."""
    capsys.readouterr()
    main(["check", *map(str, words), "--json", "--no-pixels"])
    return json.loads(capsys.readouterr().out)


def objects_of(dataset):
    return sum(map(len, dataset.annotations))
