"""Layouts of pytorch-SSD300's lists."""

import json

from data.exports.drawn import Table, box_px

LISTS = Table()


@LISTS.add("pytorch-SSD300's lists", {"TRAIN": (0, 1), "TEST": (2, 3)}, "TRAIN", "TEST")
def lists(d):
    for split, numbers in {"TRAIN": (0, 1), "TEST": (2, 3)}.items():
        for n in numbers:
            d.image(f"images/{n}.jpg", n)
        boxes = {n: [[x1, y1, x2 - 1, y2 - 1] for x1, y1, x2, y2 in [map(int, box_px(n))]] for n in numbers}
        d.text(f"{split}_images.json", json.dumps([f"images/{n}.jpg" for n in numbers]))
        d.text(f"{split}_objects.json", json.dumps(
            [{"boxes": boxes[n], "labels": [d.label(n) + 1], "difficulties": [0]} for n in numbers]))  # fmt: skip
    d.text("label_map.json", json.dumps({name: n for n, name in enumerate(d.classes, 1)} | {"background": 0}))
