"""The lists of PASCAL VOC folders: which ids a line names, in the ways that tools write them.

A line is an id; a path of the image or annotation, also one of another computer; both of them; or, in the list of a
class (`car_train.txt`), an id and -1, 0 or 1.
"""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from ssd300.data.formats.file_index import FileIndex, key_of, normal
from ssd300.data.formats.text import read_text
from ssd300.data.splits import role_of
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

FLAGS = ("-1", "0", "1")  # of the list of a class: whether the image shows it
NO_LISTS = frozenset(
    ("labels", "label", "labelmap", "label_list", "classes", "class", "names", "readme", "license", "requirements")
)
FOLDERS = ("ImageSets/Main", "ImageSets", ".")  # the first that has lists


class VocLists(NamedTuple):
    """The list files by split, and those of classes, which are read where one is named, by their own names."""

    splits: dict[str, tuple[Path, ...]]
    of_classes: dict[str, tuple[Path, ...]]


def find_lists(root: Path, is_known: Callable[[str], bool]) -> VocLists:
    """The lists of a folder. Lists of classes together make up a split that has no list of its own.

    A text file beside the data may be another kind of file. It is a list if `is_known` is true for its first line: the
    key of an image or annotation.
    """
    for folder in FOLDERS:
        files = [path for path in sorted((root / folder).glob("*.txt")) if folder != "." or _is_list(path, is_known)]
        if files:
            return _by_split(files)
    return VocLists({}, {})


def _is_list(path: Path, is_known: Callable[[str], bool]) -> bool:
    if path.stem.casefold() in NO_LISTS:
        return False
    if role_of(path.stem) is not None:
        return True
    try:
        first = next((line for line in read_text(path).splitlines() if line.strip()), None)
    except DataError:
        return False
    return first is not None and any(is_known(key) for key in _readings(first.strip()))


def _by_split(files: Sequence[Path]) -> VocLists:
    of_classes: dict[str, tuple[Path, ...]] = {
        path.stem: (path,)
        for path in files
        if (split := _role_at_end(path)) and (any(other.stem == split for other in files) or _has_flags(path))
    }
    splits: dict[str, tuple[Path, ...]] = {path.stem: (path,) for path in files if path.stem not in of_classes}
    whole = set(splits)
    for name, (path,) in of_classes.items():
        if (split := _role_at_end(path)) not in whole:
            splits[split] = (*splits.get(split, ()), *of_classes[name])
    return VocLists(splits, of_classes)


def _role_at_end(path: Path) -> str:
    """The `train` of `car_train.txt`, "" for a list of another name."""
    name, _, split = path.stem.rpartition("_")
    return split if name and role_of(split) is not None and role_of(path.stem) is None else ""


def _has_flags(path: Path) -> bool:
    """Whether its lines end in -1, 0 or 1; an empty list may be that of a class."""
    try:
        return all(_flagged(line) for line in read_text(path).splitlines() if line.strip())
    except DataError:
        return False


def read_ids(files: Sequence[Path], images: FileIndex, annotations: FileIndex) -> list[str]:
    """The keys of the images that the lists of a split name, in their order; an unknown id is its own key.

    Raises:
        DataError: a list cannot be read, names an image twice, or leads out of the folder.
    """
    ids: dict[str, str] = {}
    for path in files:
        rows = [(n, line.strip()) for n, line in enumerate(read_text(path).splitlines(), start=1) if line.strip()]
        own: dict[str, int] = {}
        flagged = all(_flagged(line) for _, line in rows)
        for number, line in rows:
            key = _resolve(line, images, annotations, flagged=flagged, where=f"{path}:{number}")
            if key in own:
                raise DataError(
                    f"the id '{key}' is listed twice, first in line {own[key]}",
                    where=f"{path}:{number}",
                    fix="Remove one.",
                )
            own[key] = number
            ids.setdefault(key, line)
    return list(ids)


def _flagged(line: str) -> bool:
    return line.rsplit(maxsplit=1)[1:] in ([flag] for flag in FLAGS)


def _resolve(line: str, images: FileIndex, annotations: FileIndex, *, flagged: bool, where: str) -> str:
    for key in _readings(line):
        if key in annotations.by_key or key in images.by_key:
            return key
    texts = [*_texts(line)]
    for text in texts:  # a path of another computer, by its end
        for index in (images, annotations):
            if PureWindowsPath(text).suffix and (found := index.find_written(text)) is not None:
                return key_of(found.relative_to(index.root))
    text = texts[-1] if flagged or len(texts) > 1 else line
    if _leads_out(text):
        raise DataError(f"the id '{text}' leads out of the folder", where=where, fix="Correct the list.")
    return _without_ending(text)


def _readings(line: str) -> list[str]:
    """The keys that a line may name, the most literal first."""
    keys = []
    for text in _texts(line):
        if not _leads_out(text):
            keys += [normal(text), key_of(PurePosixPath(text.replace("\\", "/") + ".x")), _without_ending(text)]
    return keys


def _texts(line: str) -> list[str]:
    """The line; and of an id with a flag, or of a pair of image and annotation, the first part."""
    if _flagged(line):
        return [line, line.rsplit(maxsplit=1)[0]]
    first = _first_of_pair(line) if line.casefold().endswith(".xml") else line
    return [line] if first == line else [line, first]


def _first_of_pair(line: str) -> str:
    """`a b.jpg` of `a b.jpg a b.xml`: all words up to the first that ends as an image does."""
    words = line.split(" ")
    ends = [number for number, word in enumerate(words, start=1) if is_image_name(word)]
    return " ".join(words[: ends[0]]).strip() if ends else line


def _leads_out(text: str) -> bool:
    path = PureWindowsPath(text)
    return bool(path.anchor) or ".." in path.parts


def _without_ending(text: str) -> str:
    """The key of a path that may have the ending of an image or of XML; other dots belong to the name."""
    path = PurePosixPath(text.replace("\\", "/"))
    if not path.name:  # "." or "/"
        return text
    has_ending = is_image_name(path.name) or path.suffix.casefold() == ".xml"
    return key_of(path if has_ending else path.with_name(path.name + ".x"))
