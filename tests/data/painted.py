"""Images with a painted rectangle, turned by EXIF data, and labels of it in every format and either frame."""

import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

from conftest import object_xml

ORIENTATIONS = range(1, 9)
TURNING = range(5, 9)  # width and height change places
FRAMES = ("shown", "stored")
WIDE, HIGH = 48, 32  # of the image as it is shown
FITS_BOTH, FITS_ONE = (18, 5, 28, 12), (4, 5, 42, 14)  # of the frames of an image on its side
RED = (220, 20, 20)
# How viewers turn what is stored, backwards: from the image as it is shown to the pixels of the file.
TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
# What a file may say instead of a width and a height of (wide, high). None: the entry is left out.
SIZES = {
    "right": lambda wide, high: (wide, high),
    "right as text": lambda wide, high: (str(wide), f"{high}.0"),
    "absent": lambda *_: None,
    "0": lambda *_: (0, 0),
    "text": lambda *_: ("wide", "high"),
    "none": lambda *_: (None, None),
    "wrong": lambda wide, high: (wide + 9, high - 3),
    "swapped": lambda wide, high: (high, wide),
}
SAYS_NOTHING = ("absent", "0", "text", "none")


@dataclass(frozen=True)
class Painted:
    """An image with a red rectangle. Its label is in the frame that is `labeled`, and has a size of the kind `size`."""

    orientation: int = 1
    labeled: str = "shown"
    size: str = "right"
    box: tuple[int, int, int, int] = FITS_ONE
    wide_high: tuple[int, int] = (WIDE, HIGH)
    name: str = "a.png"

    def pixels(self, frame):
        image = Image.new("RGB", self.wide_high, (40, 90, 120))
        image.paste(RED, self.box)
        return image.transpose(TO_STORED[self.orientation]) if frame == "stored" and self.orientation > 1 else image

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x0112] = self.orientation
        self.pixels("stored").save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {}))

    @property
    def label(self):
        """The box in the frame of the label, and what the file says of the size."""
        image = self.pixels(self.labeled)
        return red_box(np.asarray(image)), SIZES[self.size](*image.size)


def red_box(pixels):
    """The rectangle around the red pixels, xyxy, half-open."""
    rows, columns = np.nonzero((pixels[..., 0] > 150) & (pixels[..., 2] < 80))
    return (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


def in_voc(box):
    return (box[0] + 1, box[1] + 1, box[2], box[3])  # counted from 1, the last pixel included


def write_voc(root, images):
    (root / "Annotations").mkdir(parents=True)
    for image in images:
        box, size = image.label
        tags = (
            ""
            if size is None
            else "<size><width>{}</width><height>{}</height></size>".format(
                *("" if side is None else side for side in size)
            )
        )
        text = f"<annotation>{tags}{object_xml('red', in_voc(box))}</annotation>"
        (root / f"Annotations/{image.name[0]}.xml").write_text(text)
        image.write(root / "JPEGImages" / image.name)


def write_coco(root, images):
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "red"}]}
    for number, image in enumerate(images):
        (x1, y1, x2, y2), size = image.label
        keys = {} if size is None else dict(zip(("width", "height"), size, strict=True))
        content["images"].append({"id": number, "file_name": image.name, **keys})
        content["annotations"].append(
            {"id": number, "image_id": number, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}
        )
        image.write(root / "images" / image.name)
    (root / "annotations").mkdir()
    (root / "annotations/instances_train.json").write_text(json.dumps(content))


def write_yolo(root, images):
    (root / "labels/train").mkdir(parents=True)
    for image in images:
        box, _ = image.label
        wide, high = image.pixels(image.labeled).size
        x1, y1, x2, y2 = np.array(box) / (wide, high, wide, high)
        line = f"0 {(x1 + x2) / 2} {(y1 + y2) / 2} {x2 - x1} {y2 - y1}\n"
        (root / f"labels/train/{image.name[0]}.txt").write_text(line)
        image.write(root / "images/train" / image.name)
    (root / "data.yaml").write_text("train: images/train\nnames: [red]\n")


def write_lists(root, images):
    root.mkdir()
    boxes = [[x1, y1, x2 - 1, y2 - 1] for x1, y1, x2, y2 in (image.label[0] for image in images)]
    content = {
        "TRAIN_images": [image.name for image in images],
        "TRAIN_objects": [{"boxes": [box], "labels": [1], "difficulties": [0]} for box in boxes],
        "label_map": {"red": 1, "background": 0},
    }
    for name, value in content.items():
        (root / f"{name}.json").write_text(json.dumps(value))
    for image in images:
        image.write(root / image.name)


WRITE = {"voc": write_voc, "coco": write_coco, "yolo": write_yolo, "lists": write_lists}
HAVE_SIZES = ("voc", "coco")
PLAIN = Painted(name="z.png")


def write(root, format_name, *images):
    WRITE[format_name](root, images)
    return root
