"""Tiny datasets as tools export them: what the builders of all formats have in common.

Image number n has a size, a box and a class of its own, so that a label that is read for another image is seen.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

from PIL import Image

Box = tuple[float, float, float, float]


def size_hw(number: int) -> tuple[int, int]:
    return (40, 80 + 2 * number)


def box_px(number: int) -> Box:
    """xyxy, half-open."""
    return (4.0 + number, 4.0, 44.0 + number, 24.0)


class Layout(NamedTuple):
    """`splits` are the numbers of the images in each. `build` may return the path to name, below the root.

    `train` and `test` are the splits that training and evaluation take by themselves, `test` None where none is held
    out. `reported` are the rules of `check` by which a file of the folder is reported.
    """

    build: Callable[["Folder"], str | None]
    splits: Mapping[str, Sequence[int]]
    train: str
    test: str | None
    reported: frozenset[str]


class Table(dict[str, Layout]):
    """Layouts by the name that the documentation has for them."""

    def add(
        self, name: str, splits: Mapping[str, Sequence[int]], train: str, test: str | None = None, *reported: str
    ) -> Callable[[Callable[["Folder"], str | None]], Callable[["Folder"], str | None]]:
        def keep(build: Callable[["Folder"], str | None]) -> Callable[["Folder"], str | None]:
            assert name not in self
            self[name] = Layout(build, splits, train, test, frozenset(reported))
            return build

        return keep


@dataclass(frozen=True)
class Folder:
    """Writes files below `root`, with objects of two `classes`: image n has one of class n % 2."""

    root: Path
    classes: tuple[str, str] = ("cup", "fork")

    def label(self, number: int) -> int:
        return number % 2

    def name(self, number: int) -> str:
        return self.classes[self.label(number)]

    def text(self, path: str, content: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def lines(self, path: str, *lines: str) -> None:
        self.text(path, "".join(f"{line}\n" for line in lines))

    def image(self, path: str, number: int) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        height, width = size_hw(number)
        Image.new("RGB", (width, height), (40 * number, 90, 120)).save(file)

    def xml(self, path: str, number: int, filename: str) -> None:
        """VOC's annotation, whose pixels count from 1, the last one included."""
        height, width = size_hw(number)
        x1, y1, x2, y2 = map(int, box_px(number))
        self.text(
            path,
            f"<annotation><folder>f</folder><filename>{filename}</filename>"
            f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size><segmented>0</segmented>"
            f"<object><name>{self.name(number)}</name><pose>Unspecified</pose><truncated>0</truncated>"
            f"<difficult>0</difficult><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin><xmax>{x2}</xmax>"
            f"<ymax>{y2}</ymax></bndbox></object></annotation>",
        )

    def voc_pair(self, image: str, annotation: str, number: int) -> None:
        self.image(image, number)
        self.xml(annotation, number, PureWindowsPath(image).name)

    def txt(self, path: str, number: int, columns: Sequence[float] | None = None) -> None:
        """YOLO's line: a box, or the `columns` that follow the class."""
        self.text(path, " ".join(map(str, (self.label(number), *(columns or self.relative(number))))) + "\n")

    def relative(self, number: int) -> tuple[float, ...]:
        height, width = size_hw(number)
        x1, y1, x2, y2 = box_px(number)
        return ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)

    def corners(self, number: int) -> tuple[float, ...]:
        """The four corners of the box, relative: a polygon."""
        height, width = size_hw(number)
        x1, y1, x2, y2 = box_px(number)
        return (x1 / width, y1 / height, x2 / width, y1 / height, x2 / width, y2 / height, x1 / width, y2 / height)

    def yolo_pair(self, image: str, labels: str, number: int, columns: Sequence[float] | None = None) -> None:
        self.image(image, number)
        self.txt(labels, number, columns)

    def coco(self, path: str, images: Mapping[str, int], more: Callable[[int], dict[str, Any]] | None = None) -> None:
        """An annotation file of the images by their file names; `more` replaces keys of the annotation of an image."""
        rows = []
        for row, number in enumerate(images.values(), start=1):
            x1, y1, x2, y2 = box_px(number)
            annotation = {"id": row, "image_id": number + 1, "category_id": self.label(number) + 1, "iscrowd": 0,
                          "area": (x2 - x1) * (y2 - y1), "bbox": [x1, y1, x2 - x1, y2 - y1]}  # fmt: skip
            rows.append(annotation | (more(number) if more else {}))
        content = {
            "images": [
                {"id": number + 1, "file_name": name, "height": size_hw(number)[0], "width": size_hw(number)[1]}
                for name, number in images.items()
            ],
            "annotations": rows,
            "categories": [{"id": number, "name": name} for number, name in enumerate(self.classes, start=1)],
        }
        self.text(path, json.dumps(content))
