"""YOLO data: a data.yaml with classes and splits, and for each image a text file with a line per object.

A line is a class number and a box, (center x, center y, width, height), relative to the image; or a polygon. An image
without a text file has no objects. Sizes of images are read from their headers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ssd300.data.choices import Purpose
from ssd300.data.formats.annotations import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Corners,
    NoSplitError,
    box_fault,
    cut_at_border,
    unique_ids,
)
from ssd300.errors import DataError
from ssd300.images.read import SUFFIXES, image_size_hw

SPLITS: Mapping[Purpose, tuple[str, ...]] = {"train": ("train",), "test": ("test", "val")}
FILES = ("data.yaml", "data.yml", "dataset.yaml")
AGAIN = "Correct the file, or export the data again."
NOT_ANNOTATIONS = ("classes.txt", "labels.txt", "train.txt", "val.txt", "test.txt")  # tools put them among the others
BOX_COLUMNS = 5


@dataclass(frozen=True, kw_only=True)
class _Description:
    file: Path
    root: Path
    names: tuple[str, ...]
    splits: Mapping[str, tuple[str, ...]]


def find_yolo(path: Path) -> Path | None:
    """The data.yaml that `path` is, or that the folder holds; None if there is none."""
    candidates = [path] if path.is_file() else [path / name for name in FILES]
    for file in candidates:
        if file.suffix in (".yaml", ".yml") and file.is_file():
            content = _load(file)
            if isinstance(content, dict) and "names" in content and {"train", "val", "test"} & content.keys():
                return file
    return None


def read_yolo(path: Path, split: str | None, purpose: Purpose, *, require_images: bool) -> AnnotatedImages:
    """The images of one split of a data.yaml.

    Raises:
        DataError: the split is absent, images are missing, data.yaml is not as YOLO has it, or a line is not numbers or
            of an unknown class: with file and line.
    """
    file = find_yolo(path)
    if file is None:
        raise DataError("there is no data.yaml", where=path, fix="Name one, or its folder.")
    known = _describe(file)
    name = _choose_split(known, split, purpose)
    images = _images(known, name, required=require_images)
    ids = unique_ids([_written(image, known.root) for image in images])
    notes = [f"{file.parent.name}: YOLO ({file.name}), split '{name}'"]
    if bare := sum(not labels_file(image).is_file() for image in images):
        notes.append(f"{bare} image(s) without a text file are read as images without objects")
    return AnnotatedImages(
        images=[_image(image, image_id, known.names) for image, image_id in zip(images, ids, strict=True)],
        split=name,
        notes=tuple(notes),
        classes=known.names,
        all_names=lambda: set(known.names),
        find_images=f"Put them where {file} has them.",
    )


def yolo_splits(path: Path) -> list[str]:
    """The splits that a data.yaml names. Raises DataError as `read_yolo` does."""
    file = find_yolo(path)
    return [] if file is None else list(_describe(file).splits)


def _load(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None


def _describe(file: Path) -> _Description:
    content = _load(file)
    names = content["names"]
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise DataError("the names are not numbered 0, 1, 2…", where=file, fix=AGAIN)
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError("'names' is not a list of classes", where=file, fix=AGAIN)
    if content.get("nc", len(names)) != len(names):
        raise DataError(f"nc is {content['nc']} where there are {len(names)} names", where=file, fix=AGAIN)
    splits = {}
    for split in ("train", "val", "test"):
        places = content.get(split)
        if places:
            splits[split] = tuple(map(str, places if isinstance(places, list) else [places]))
    root = file.parent / str(content.get("path") or "")
    return _Description(
        file=file,
        root=root if root.is_dir() else file.parent,  # written on another machine
        names=tuple(str(name).strip() for name in names),
        splits=splits,
    )


def _choose_split(known: _Description, split: str | None, purpose: Purpose) -> str:
    for name in (split,) if split is not None else SPLITS[purpose]:
        if name in known.splits:
            return name
    kind = DataError if split is not None else NoSplitError
    raise kind(
        f"there is no split to {purpose} on ({split or ' or '.join(SPLITS[purpose])})",
        where=known.file,
        fix=f"Splits here: {', '.join(known.splits) or 'none'}. Name one with --split.",
    )


def _images(known: _Description, split: str, *, required: bool) -> list[Path]:
    """The images of folders, and of text files that list them."""
    images: list[Path] = []
    for place in known.splits[split]:
        found = _find(known, place)
        if found.is_dir():
            images += [path for path in sorted(found.rglob("*")) if path.suffix.lower() in SUFFIXES]
        else:
            lines = (line.strip() for line in found.read_text(encoding="utf-8-sig").splitlines())
            listed = [line for line in lines if line]
            images += [known.root / line if (known.root / line).is_file() else found.parent / line for line in listed]
    if required and (absent := [image for image in images if not image.is_file()]):
        raise DataError(f"{len(absent)} image(s) are missing", where=f"first {absent[0]}", fix="Put them there.")
    if len(set(images)) < len(images):
        twice = next(image for number, image in enumerate(images) if image in images[:number])
        raise DataError("the image is listed twice", where=twice, fix="Take one out.")
    return images


def _written(image: Path, root: Path) -> str:
    return image.relative_to(root).as_posix() if image.is_relative_to(root) else str(image)


def _find(known: _Description, place: str) -> Path:
    """A folder or list that data.yaml names: below its `path`, beside the file, or, as Roboflow errs, one level off."""
    trimmed = PurePosixPath(place.replace("\\", "/"))
    inside = PurePosixPath(*[part for part in trimmed.parts if part not in ("..", "/")])
    for candidate in (known.root / place, known.file.parent / place, known.root / inside, known.file.parent / inside):
        if candidate.exists():
            return candidate
    raise DataError(f"there is no '{place}'", where=known.file, fix=f"It was looked for in {known.root}.")


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


def labels_file(image: Path) -> Path:
    """The text file of an image, there or not: the last folder called images becomes labels, the ending .txt."""
    parts = list(image.parent.parts)
    if "images" in parts:
        place = len(parts) - 1 - parts[::-1].index("images")
        parts[place] = "labels"
    return Path(*parts) / f"{image.stem}.txt"


def _image(image: Path, image_id: str, names: Sequence[str]) -> AnnotatedImage:
    labels = labels_file(image)
    try:
        text = labels.read_text(encoding="utf-8-sig") if labels.is_file() else ""
        size_hw = image_size_hw(image) if image.is_file() else None
        fault = None if size_hw or not text.strip() else "the image is missing, so its boxes have no size"
    except (DataError, UnicodeDecodeError) as error:
        text, size_hw, fault = "", None, str(error)
    objects = []
    if fault is None and size_hw is not None:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                objects.append(_object(line.split(), size_hw, names, f"{labels}:{number}"))
    return AnnotatedImage(
        image_id=image_id,
        image_path=image,
        size_hw=size_hw,
        objects=tuple(objects),
        where=str(labels),
        fault=fault,
    )


def _object(columns: Sequence[str], size_hw: tuple[int, int], names: Sequence[str], where: str) -> AnnotatedObject:
    try:
        values = [float(value) for value in columns]
    except ValueError as error:
        raise DataError(f"the line is not numbers ({error})", where=where, fix=AGAIN) from error
    number = values[0]
    if not 0 <= number < len(names) or number != int(number):
        raise DataError(f"the class {columns[0]} is not 0 to {len(names) - 1}", where=where, fix=AGAIN)
    relative, fault = _relative_corners(values[1:])
    height, width = size_hw
    box_px = (relative[0] * width, relative[1] * height, relative[2] * width, relative[3] * height)
    fault = fault or box_fault(box_px, size_hw, box_px)
    return AnnotatedObject(
        name=names[int(number)],
        box_px=box_px if fault else cut_at_border(box_px, size_hw),
        difficult=False,
        fault=fault,
    )


def _relative_corners(values: Sequence[float]) -> tuple[Corners, str | None]:
    if len(values) == BOX_COLUMNS - 1:
        return to_corners(*values), None
    if len(values) >= 6 and len(values) % 2 == 0:  # a polygon: the box around it
        return (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])), None
    return (math.nan,) * 4, f"the line has {len(values) + 1} columns where a box has {BOX_COLUMNS}"
