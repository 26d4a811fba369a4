"""Small annotated images in the layouts of other programs, and what commands say of them."""

import json
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from ssd300.cli import main

BOX = (20, 20, 80, 70)  # xyxy of the usual object, ours
CORNERS = (21, 21, 80, 70)  # the same as VOC writes it
LINE = "0 0.41666666666666669 0.5 0.5 0.55555555555555558\n"  # the same as YOLO writes it
ORIENTATION = 0x0112
OF_LEARNING = ("tiny-box", "uncovered-class", "absent-class")  # rules that say what can be learned, not what is wrong


def picture(path, size=(120, 90), **save):
    """An image of noise, of its own for each path; `size` is width and height. Returns its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(zlib.crc32(path.as_posix().encode()))
    pixels = random.integers(0, 256, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size).save(path, **save)
    return path


def turned_picture(path, orientation, size=(120, 90)):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return picture(path, size, exif=exif)


def obj(name="car", corners=CORNERS, extra="<difficult>0</difficult>"):
    tags = "".join(f"<{t}>{v}</{t}>" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    return f"<object><name>{name}</name>{extra}<bndbox>{tags}</bndbox></object>"


def xml(path, objects=None, size=(120, 90), filename=""):
    sides = "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    name = f"<filename>{filename}</filename>" if filename else ""
    return text(path, f"<annotation>{name}{sides}{obj() if objects is None else objects}</annotation>")


def text(path, content, encoding="utf-8"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))
    return path


def voc(root, ids, splits=None, classes=("car",), suffix=".jpg"):
    """A VOC folder with one object an image, of the classes in turn; `splits` are names to ids."""
    for number, name in enumerate(ids):
        picture(root / f"JPEGImages/{name}{suffix}")
        xml(root / f"Annotations/{name}.xml", obj(classes[number % len(classes)]))
    for split, names in (splits or {}).items():
        text(root / f"ImageSets/Main/{split}.txt", "".join(f"{name}\n" for name in names))
    return root


def yolo(root, images, description, line=LINE):
    """`images` maps a folder of images to how many there are, each with a text file of one `line`."""
    for folder, count in images.items():
        for number in range(count):
            name = f"{folder.replace('/', '_')}{number}"
            picture(root / folder / f"{name}.jpg")
            text(root / folder.replace("images", "labels") / f"{name}.txt", line)
    text(root / "data.yaml", description)
    return root


def coco(file, boxes, image="a.jpg", categories=("car",), **image_keys):
    """One image with `boxes` as COCO has them, all of the first category."""
    entry = {"id": 1, "width": 120, "height": 90, "file_name": image} | image_keys
    rows = [{"id": n, "image_id": 1, "category_id": 1, "bbox": list(box), "iscrowd": 0} for n, box in enumerate(boxes)]
    names = [{"id": n, "name": name} for n, name in enumerate(categories, start=1)]
    return text(file, json.dumps({"images": [entry], "annotations": rows, "categories": names}))


def boxes(dataset):
    """The boxes of a dataset by the id of the image."""
    return {one.image_id: [tuple(box) for box in one.boxes_px.tolist()] for one in dataset.annotations}


def counts(dataset):
    """The classes that have objects, and how many."""
    return {name: count for name, count in dataset.objects_per_class().items() if count}


class Commands:
    """Runs commands in this process and returns what they print."""

    def __init__(self, capsys):
        self.capsys = capsys

    def run(self, *words):
        """Exit code, and what was printed to stdout and stderr."""
        code = main([str(word) for word in words])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def check(self, *words):
        """The exit code and the JSON of `check`."""
        code, out, _ = self.run("check", *words, "--json")
        return code, json.loads(out)

    def rules(self, *words):
        """The rules that `check` reports, each with the number of problems, but for those of `OF_LEARNING`."""
        _, report = self.check(*words)
        return dict(Counter(problem["rule"] for problem in report["problems"] if problem["rule"] not in OF_LEARNING))
