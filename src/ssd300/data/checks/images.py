"""Problems of image files: each is read and decoded."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.problems import Fault, Problem
from ssd300.errors import DataError
from ssd300.images.header import frames
from ssd300.images.read import read_image


def image_problems(splits: Mapping[str, AnnotatedImages], advance: Callable[[int, int], None]) -> list[Problem]:
    """Problems of every image that is there, found in parallel; `advance` gets how many of how many are read."""
    listed = [(name, path) for name, split in splits.items() for image in split.images if (path := image.image_path)]
    problems: list[Problem] = []
    known: dict[str, tuple[str, Path]] = {}
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda one: _inspect(one[1]), listed)
        for number, ((split, path), (digest, found)) in enumerate(zip(listed, results, strict=True), start=1):
            problems += found
            if digest is not None:
                if digest in known and known[digest][1] != path:
                    problems.append(_duplicate(split, path, *known[digest]))
                known.setdefault(digest, (split, path))
            advance(number, len(listed))
    return problems


def _inspect(path: Path) -> tuple[str | None, list[Problem]]:
    """The digest of the content, None for an image that cannot be read, and the problems of the image alone."""
    try:
        read_image(path)
    except DataError as error:
        return None, [Fault("image", error.what, error.fix or "").at(str(path))]
    return hashlib.sha256(path.read_bytes()).hexdigest(), list(_animated(path))


def _animated(path: Path) -> Iterable[Problem]:
    if (count := frames(path)) > 1:
        yield Fault("animated", f"of its {count} frames or pages only the first is used").at(str(path))


def _duplicate(split: str, path: Path, other_split: str, other: Path) -> Problem:
    rule = "duplicate-across-splits" if split != other_split else "duplicate"
    return Fault(rule, f"the image of {split} is the same as {other} of {other_split}").at(str(path))
