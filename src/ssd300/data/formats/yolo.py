"""YOLO data: a text file with a line per object for each image.

A line is a class number and a box, (center x, center y, width, height), relative to the image; or a polygon; or a box
and the points of a pose. An image without a text file has no objects.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ssd300.data.formats.annotations import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Corners,
    DataFiles,
    Source,
    listed_twice,
    unique_ids,
)
from ssd300.data.formats.text import read_text
from ssd300.data.formats.yolo_description import class_files, describe, find_yolo, other_descriptions
from ssd300.data.formats.yolo_folder import YoloFolder, is_no_label, looks_like_labels
from ssd300.data.problems import Fault
from ssd300.data.splits import WHOLE, UnusableSplitError
from ssd300.errors import DataError

BOX_NUMBERS = 4
POLYGON_NUMBERS = 6  # at least
VISIBILITIES = {0, 1, 2}  # what follows each point of a pose; 0: the point is not labeled
NO_BOX: Corners = (math.nan,) * 4


@dataclass(frozen=True)
class YoloSource(Source):
    """The data that a description names."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path

    @cached_property
    def folder(self) -> YoloFolder:
        """Raises DataError where the description is not as YOLO has it."""
        file = find_yolo(self.path)
        if file is None:
            raise DataError("there is no data.yaml", where=self.path, fix="Name one, or its folder.")
        return describe(file, self.path)

    @property
    def splits(self) -> Sequence[str]:
        return self.folder.splits

    def ids(self, split: str) -> Sequence[str]:
        return [self._written(image) for image in self.folder.images(split)]

    def read(self, split: str, *, require_images: bool) -> AnnotatedImages:
        """The images of one split. Lines that cannot be used are objects with a fault.

        Raises:
            UnusableSplitError: a folder or list of the split is absent or has no image, or no image has a text file.
            DataError: an image is listed twice, or a list cannot be read.
        """
        known = self.folder
        images = known.images(split)
        unlabeled = sum(not known.label_file(image).is_file() for image in images)
        if unlabeled == len(images) and not any(image.is_file() for image in images):
            raise UnusableSplitError(
                f"none of the {len(images)} images of the split '{split}' is there",
                where=f"first {images[0]}",
                fix=f"Put them where {known.file} has them.",
            )
        if unlabeled == len(images):
            raise UnusableSplitError(
                f"none of the {len(images)} images of the split '{split}' has a text file of labels",
                where=f"searched in {known.label_file(images[0]).parent}",
                fix=f"Put them there, each with the name of its image: {known.label_file(images[0]).name}.",
            )
        ids = unique_ids([self._written(image) for image in images])
        owners = Counter(known.label_file(image) for image in images)
        read = [
            _image(image, image_id, known, owners[known.label_file(image)], required=require_images)
            for image, image_id in zip(images, ids, strict=True)
        ]
        what = f"split '{split}'" if split != WHOLE else f"without splits, all {len(images)} images are read"
        return AnnotatedImages(
            images=read,
            split=split,
            notes=(f"YOLO ({self._description()}), {what}",),
            classes=known.names,
            count_names=lambda: Counter(item.name for image in read for item in image.objects),
            find_images=f"Put them where {known.file} has them.",
            problems=listed_twice(known.names, str(known.file)),
        )

    def files(self) -> DataFiles:
        known = self.folder
        images: list[Path] = []
        for split in known.splits:
            try:
                images += known.images(split)
            except UnusableSplitError:
                continue
        used = [path for image in images for path in (image, known.label_file(image)) if path.is_file()]
        names = (known.file, *known.lists(), *class_files(known.root))
        return DataFiles(
            used=frozenset(used),
            folders=tuple(dict.fromkeys([path.parent for path in used])),
            known=frozenset(names),
            label_suffix=".txt",
            why=self._why_unused,
        )

    def _why_unused(self, path: Path) -> Fault | None:
        unlisted = "no split has it, so {} not used"
        if path.suffix.casefold() != ".txt":
            labeled = self.folder.label_file(path).is_file()
            return Fault("unlisted-image" if labeled else "image-without-annotation", unlisted.format("it is"))
        if is_no_label(path) or not looks_like_labels(path):
            return None
        if self.folder.has_image(path):
            return Fault("unlisted-annotation", unlisted.format("its objects are"))
        return Fault("annotation-without-image", "there is no image of this name, so its objects are not used")

    def _description(self) -> str:
        """The file that is read, and others of its kind, which are not."""
        others = [file.name for file in other_descriptions(self.folder.file)]
        return self.folder.file.name + (f", not {', '.join(others)}" if others and self.path.is_dir() else "")

    def _written(self, image: Path) -> str:
        root = self.folder.root
        return image.relative_to(root).as_posix() if image.is_relative_to(root) else str(image)


def to_line(label: int, box_px: Sequence[float], size_hw: tuple[int, int], *, score: float | None = None) -> str:
    """A line of a text file, with its end: class, center, width and height (relative), and the score of a detection."""
    xmin, ymin, xmax, ymax = box_px
    height, width = size_hw
    columns = (label, (xmin + xmax) / 2 / width, (ymin + ymax) / 2 / height, (xmax - xmin) / width,
               (ymax - ymin) / height)  # fmt: skip
    return " ".join(map(str, columns if score is None else (*columns, score))) + "\n"


def to_corners(x: float, y: float, width: float, height: float) -> Corners:
    """The four numbers of a line's box, center and size, as xyxy; relative, as they are."""
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _image(image: Path, image_id: str, known: YoloFolder, owners: int, *, required: bool) -> AnnotatedImage:
    labels = known.label_file(image)
    there, remarks, fault = labels.is_file(), [], None
    objects: list[AnnotatedObject] = []
    if not there:
        remarks.append(Fault("no-labels-file", "it has no text file"))
    elif owners > 1:
        fault = Fault("ambiguous-image", f"the text file belongs to {owners} images of one name")
    else:
        try:
            lines = enumerate(read_text(labels).splitlines(), start=1)
            objects = [read_line(line.split(), known, number) for number, line in lines if line.strip()]
        except DataError as error:
            fault = Fault("annotation", error.what)
    return AnnotatedImage(
        image_id=image_id,
        image_path=image if not required or image.is_file() else None,
        size_hw=None,
        objects=tuple(objects),
        where=str(labels if there else image),
        fault=fault,
        remarks=tuple(remarks),
        relative=True,
        has_size=False,
    )


def read_line(columns: Sequence[str], known: YoloFolder, line: int) -> AnnotatedObject:
    """The object of a line of that number; one that cannot be used has a fault. Its box is relative."""
    try:
        values = [float(value) for value in columns]
    except ValueError as error:
        return _bad(Fault("object", f"line {line} is not numbers ({error})"))
    number, last = values[0], len(known.names) - 1
    if not 0 <= number <= last or number != int(number):
        return _bad(Fault("object", f"the class {columns[0]} in line {line} is not 0 to {last}"))
    corners, fault = _relative_corners(values[1:], known.keypoints, line)
    return AnnotatedObject(name=known.names[int(number)], box_px=corners, fault=fault)


def _bad(fault: Fault) -> AnnotatedObject:
    return AnnotatedObject(name="", box_px=NO_BOX, fault=fault)


def _relative_corners(values: Sequence[float], keypoints: int | None, line: int) -> tuple[Corners, Fault | None]:
    x, y, width, height = (*values, *NO_BOX)[:BOX_NUMBERS]
    if len(values) in (BOX_NUMBERS, BOX_NUMBERS + (keypoints or 0)):
        return to_corners(x, y, width, height), None
    if keypoints is None and _seems_a_pose(values):
        what = f"line {line} seems to be a pose: points within a box, each followed by 0, 1 or 2"
        return NO_BOX, Fault("box", what, "Write kpt_shape into data.yaml, or correct the line.")
    if keypoints is None and len(values) >= POLYGON_NUMBERS and len(values) % 2 == 0:  # the box around a polygon
        return (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])), None
    wanted = f"a box has {BOX_NUMBERS + 1}" + (f", a pose {BOX_NUMBERS + 1 + keypoints}" if keypoints else "")
    return NO_BOX, Fault("box", f"line {line} has {len(values) + 1} columns where {wanted}")


def _seems_a_pose(values: Sequence[float]) -> bool:
    """Whether numbers that could be a polygon are a box and points in it.

    A polygon that was cut at the border has zeros and ones in places too, but hardly a box around its other numbers.
    """
    points = list(zip(values[BOX_NUMBERS::3], values[BOX_NUMBERS + 1 :: 3], values[BOX_NUMBERS + 2 :: 3], strict=False))
    if not points or len(values) != BOX_NUMBERS + 3 * len(points) or not {mark for *_, mark in points} <= VISIBILITIES:
        return False
    xmin, ymin, xmax, ymax = to_corners(*values[:BOX_NUMBERS])
    labeled = [(x, y) for x, y, mark in points if mark]
    return bool(labeled) and all(xmin <= x <= xmax and ymin <= y <= ymax for x, y in labeled)
