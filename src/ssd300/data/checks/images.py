"""What is wrong with the image files of a data set: they are read, every one."""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from ssd300.data.checks.problem import Problem
from ssd300.data.formats.labels import LabelledImage, LabelledImages
from ssd300.errors import DataError
from ssd300.images.read import FIRST_TURNED, ORIENTATION, frames, read_image


def pixel_problems(splits: Mapping[str, LabelledImages], advance: Callable[[int, int], None]) -> list[Problem]:
    """What every image's content shows, in parallel; `advance` is told how many of how many are read."""
    listed = [(name, image) for name, split in splits.items() for image in split.images if image.image_path]
    problems: list[Problem] = []
    seen: dict[str, tuple[str, Path]] = {}
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda pair: _look_at(pair[1]), listed)
        for number, ((split, image), (digest, found)) in enumerate(zip(listed, results, strict=True), start=1):
            problems += found
            path = image.image_path
            if digest is not None and path is not None:
                if digest in seen:
                    problems.append(_duplicate(split, path, *seen[digest]))
                seen.setdefault(digest, (split, path))
            advance(number, len(listed))
    return problems


def _duplicate(split: str, path: Path, other_split: str, other: Path) -> Problem:
    across = split != other_split
    return Problem(
        level="error" if across else "warning",
        file=str(path),
        object=None,
        rule="duplicate-across-splits" if across else "duplicate",
        message=f"the image of {split} is the same as {other} of {other_split}",
        fix="Take one out: what is trained on must not be measured on." if across else "Take one out.",
    )


def _look_at(labelled: LabelledImage) -> tuple[str | None, list[Problem]]:
    """The content's digest, and what is wrong with the pixels."""
    path = labelled.image_path
    assert path is not None
    try:
        height, width = read_image(path).shape[:2]
        with Image.open(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) >= FIRST_TURNED
    except DataError as error:
        return None, [
            Problem(
                level="error", file=str(path), object=None, rule="image", message=error.what,
                fix=error.fix or "Replace the file.",
            )
        ]  # fmt: skip
    problems = []
    if (pages := frames(path)) > 1:
        problems.append(
            Problem(
                level="warning", file=str(path), object=None, rule="animated",
                message=f"of its {pages} frames or pages the first alone is taken",
                fix="Save the one that was labelled as an image of its own, if it is another.",
            )
        )  # fmt: skip
    if labelled.size_hw is not None and labelled.size_hw != (height, width):
        said = f"{labelled.size_hw[1]} x {labelled.size_hw[0]}"
        by_camera = turned and labelled.size_hw == (width, height)
        problems.append(
            Problem(
                level="error", file=str(path), object=None, rule="rotated" if by_camera else "size",
                message=f"the annotation is for {said} pixels, the image has {width} x {height}"
                + (" after the turn that its EXIF data asks for" if by_camera else ""),
                fix="Turn the pixels and take the tag out, or label the image as it is shown."
                if by_camera else "Label the image again, or put back the one that was labelled.",
            )
        )  # fmt: skip
    return hashlib.sha256(path.read_bytes()).hexdigest(), problems
