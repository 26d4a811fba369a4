"""Problems of image files: each is read and decoded."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ssd300.data.checks.problem import Problem
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.errors import DataError
from ssd300.images.read import frames, read_image, turned_by_exif

Size = tuple[int, int]


def image_problems(splits: Mapping[str, AnnotatedImages], advance: Callable[[int, int], None]) -> list[Problem]:
    """Problems of every image that is there, found in parallel; `advance` gets how many of how many are read."""
    listed = [
        (name, path, image.size_hw)
        for name, split in splits.items()
        for image in split.images
        if (path := image.image_path)
    ]
    problems: list[Problem] = []
    known: dict[str, tuple[str, Path]] = {}
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda one: _inspect(one[1], one[2]), listed)
        for number, ((split, path, _), (digest, found)) in enumerate(zip(listed, results, strict=True), start=1):
            problems += found
            if digest is not None:
                if digest in known:
                    problems.append(_duplicate(split, path, *known[digest]))
                known.setdefault(digest, (split, path))
            advance(number, len(listed))
    return problems


def _inspect(path: Path, annotated_hw: Size | None) -> tuple[str | None, list[Problem]]:
    """The digest of the content, None for an image that cannot be read, and the problems of the image alone."""
    try:
        height, width = read_image(path).shape[:2]
    except DataError as error:
        return None, [
            Problem(
                level="error", file=str(path), object=None, rule="image", message=error.what,
                fix=error.fix or "Replace the file.",
            )
        ]  # fmt: skip
    problems = [*_animated(path), *_other_size(path, (height, width), annotated_hw)]
    return hashlib.sha256(path.read_bytes()).hexdigest(), problems


def _animated(path: Path) -> Iterable[Problem]:
    if (count := frames(path)) > 1:
        yield Problem(
            level="warning", file=str(path), object=None, rule="animated",
            message=f"of its {count} frames or pages only the first is used",
            fix="If another one was annotated, save it as an image of its own.",
        )  # fmt: skip


def _other_size(path: Path, size_hw: Size, annotated_hw: Size | None) -> Iterable[Problem]:
    """An image of another size than its annotation, with the reason if it is the camera's orientation."""
    if annotated_hw is None or annotated_hw == size_hw:
        return
    what = (
        f"the annotation is for {annotated_hw[1]} x {annotated_hw[0]} pixels, the image has {size_hw[1]} x {size_hw[0]}"
    )
    if annotated_hw == size_hw[::-1] and turned_by_exif(path):
        yield Problem(
            level="error", file=str(path), object=None, rule="rotated",
            message=f"{what} after the turn that its EXIF data asks for",
            fix="Turn the pixels and remove the tag, or annotate the image as it is shown.",
        )  # fmt: skip
    else:
        yield Problem(
            level="error", file=str(path), object=None, rule="size", message=what,
            fix="Annotate the image again, or put back the one that was annotated.",
        )  # fmt: skip


def _duplicate(split: str, path: Path, other_split: str, other: Path) -> Problem:
    across = split != other_split
    return Problem(
        level="error" if across else "warning",
        file=str(path),
        object=None,
        rule="duplicate-across-splits" if across else "duplicate",
        message=f"the image of {split} is the same as {other} of {other_split}",
        fix="Remove one: what is trained on must not be measured on." if across else "Remove one.",
    )
