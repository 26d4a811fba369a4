"""Problems of image files: each is read once, and decoded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.problems import Fault, Problem
from ssd300.errors import DataError
from ssd300.images.header import frames, open_file
from ssd300.images.near_copies import ImageHash, hash_content
from ssd300.images.read import decode_image


@dataclass(frozen=True, kw_only=True)
class InspectedImage:
    """An image of a split. `hash` is what its copies have in common, None for an image that cannot be read."""

    split: str
    path: Path
    hash: ImageHash | None
    problems: tuple[Problem, ...]


def inspect_images(
    splits: Mapping[str, AnnotatedImages], advance: Callable[[int, int], None] = lambda _done, _all: None
) -> list[InspectedImage]:
    """All images, read in parallel, in the order of the splits; `advance` gets how many of how many are read."""
    listed = [(name, path) for name, split in splits.items() for image in split.images if (path := image.image_path)]
    inspected = []
    with ThreadPoolExecutor() as pool:
        for number, image in enumerate(pool.map(lambda one: _inspect(*one), listed), start=1):
            inspected.append(image)
            advance(number, len(listed))
    return inspected


def image_problems(images: Sequence[InspectedImage]) -> list[Problem]:
    """The problems of each image, and files of the same content."""
    problems = [problem for image in images for problem in image.problems]
    first: dict[str, InspectedImage] = {}
    for image in images:
        if image.hash is None:
            continue
        other = first.setdefault(image.hash.content, image)
        if other.path != image.path:
            problems.append(_duplicate(image, other))
    return problems


def _inspect(split: str, path: Path) -> InspectedImage:
    try:
        with open_file(path) as file:
            data = file.read()
        decode_image(data, where=path)
        found = hash_content(data, where=path)
    except DataError as error:
        fault = Fault("image", error.what, error.fix or "")
        return InspectedImage(split=split, path=path, hash=None, problems=(fault.at(str(path)),))
    return InspectedImage(split=split, path=path, hash=found, problems=tuple(_animated(path)))


def _animated(path: Path) -> Iterable[Problem]:
    if (count := frames(path)) > 1:
        yield Fault("animated", f"of its {count} frames or pages only the first is used").at(str(path))


def _duplicate(image: InspectedImage, other: InspectedImage) -> Problem:
    rule = "duplicate-across-splits" if image.split != other.split else "duplicate"
    message = f"the image of {image.split} is the same as {other.path} of {other.split}"
    return Fault(rule, message).at(str(image.path))
