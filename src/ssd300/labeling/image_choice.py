"""The images of a text file, as `ssd300 next --out` writes it, among those that are labeled."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ssd300.detection.path_lists import listed_paths
from ssd300.errors import DataError
from ssd300.system.files import absolute, spelled_like
from ssd300.system.wording import plural


def listed_numbers(file: Path, images: Sequence[Path], note: Callable[[str], None]) -> list[int]:
    """The numbers of the images that the file lists, one path per line, in its order, each once.

    `note` takes a line on paths that are none of `images`.

    Raises:
        DataError: the file cannot be opened, is no list, or lists none of the images.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        usual = "`ssd300 next DATA --out FILE` writes one."
        fix = usual if file.exists() else spelled_like(file, usual)
        raise DataError(f"the list cannot be opened ({error.strerror})", where=file, fix=fix) from error
    numbers = {absolute(image): number for number, image in enumerate(images)}
    paths = listed_paths(content, file.parent, str(file), note)
    found: dict[int, None] = {}
    others: list[Path] = []
    for path in paths:
        number = numbers.get(absolute(path))
        if number is None:
            number = numbers.get(absolute(path.resolve()))
        if number is None:
            others.append(path)
        else:
            found[number] = None
    if not found:
        raise DataError(
            f"it lists no image of this folder; its first path is {paths[0]}", where=file,
            fix="Name the folder that the list was made from.",
        )  # fmt: skip
    if others:
        note(f"{file}: {plural(len(others), 'path')} left out, as no image of this folder; the first is {others[0]}")
    return list(found)
