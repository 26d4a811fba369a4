"""Lists of class names: what makes a list wrong, and which outputs cannot hold its names."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from ssd300.data.dataset import fold
from ssd300.errors import DataError

COMP4_FILE = "comp4_det_{split}_{name}.txt"
LONGEST_FILE_NAME = 255 - len(".") - len(".0123456789.tmp")  # bytes; a file is written under a longer name first
LONGEST_FOLDER_NAME = 100  # characters
NOT_IN_FILE_NAMES = '<>:"/\\|?*'  # on Windows or on Linux: results are copied between them
RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def numbered(count: int) -> tuple[str, ...]:
    """The names of classes of which only the number is known."""
    return tuple(f"class {number}" for number in range(1, count + 1))


def are_numbered(names: Sequence[str]) -> bool:
    """Whether these are the names that `numbered` gives, one or more."""
    return bool(names) and tuple(names) == numbered(len(names))


def repeated(names: Sequence[str]) -> str | None:
    """The first name that the list has before; case and spaces do not tell names apart. None if there is none."""
    seen: set[str] = set()
    for name in names:
        if fold(name) in seen:
            return name
        seen.add(fold(name))
    return None


def check_class_list(names: Sequence[str], *, where: object, fix: str = "Correct the class list.") -> None:
    """Raises DataError for a list without names, with an empty or broken one, or with one class twice."""
    if not names:
        raise DataError("the class list is empty", where=where, fix=fix)
    if "" in map(fold, names):
        raise DataError(f"class {[*map(fold, names)].index('') + 1} of the list has no name", where=where, fix=fix)
    if (broken := next(filter(_is_no_text, names), None)) is not None:
        raise DataError(f"the class name {broken!r} is not valid Unicode", where=where, fix=fix)
    again = repeated(names)
    if again is None:
        return
    first = next(name for name in names if fold(name) == fold(again))
    as_other = "" if first == again else f", first as '{first}': case and spaces do not tell classes apart"
    raise DataError(f"the class '{again}' is listed twice{as_other}", where=where, fix=fix)


def misfit(output: str, names: Sequence[str]) -> str | None:
    """Why a format of results, such as 'comp4' or 'yolo', cannot hold these classes, as a sentence; None if it can.

    All of them are named for which that is so.
    """
    reason, is_bad = _BAD_NAMES.get(output, _NOT_UTF8)
    bad = [repr(name) for name in names if is_bad(name)]
    if bad:
        return f"{output} cannot hold the {'class' if len(bad) == 1 else 'classes'} {', '.join(bad)}: {reason}"
    if output == "comp4" and (again := repeated(names)) is not None:
        return f"comp4 cannot hold the class {again!r}: another class has the same name, but for case and spaces"
    return None


def crop_folders(names: Sequence[str]) -> list[str]:
    """A folder name for each class, in their order: its name, in the characters that every system takes.

    Two classes never share a folder, also where case does not tell names apart: a later one gets a number.
    """
    folders: list[str] = []
    taken: set[str] = set()
    for name in names:
        usual = re.sub(r"[^\w .-]", "_", name)[:LONGEST_FOLDER_NAME].strip(". ") or "_"
        if RESERVED_ON_WINDOWS.fullmatch(usual):
            usual += "_"
        folder, number = usual, 1
        while _same_file(folder) in taken:
            number += 1
            folder = f"{usual}_{number}"
        taken.add(_same_file(folder))
        folders.append(folder)
    return folders


def _same_file(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_no_file_name(name: str) -> bool:
    file = COMP4_FILE.format(split="test", name=name)
    too_long = len(file.encode("utf-8", "replace")) > LONGEST_FILE_NAME
    return too_long or _has_control(name) or any(letter in NOT_IN_FILE_NAMES for letter in name)  # fmt: skip


def _is_no_text(name: str) -> bool:
    return any(unicodedata.category(letter) == "Cs" for letter in name)


def _has_control(name: str) -> bool:
    """Control characters, and what ends a line or belongs to no text."""
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)


def _is_no_line(name: str) -> bool:
    return _has_control(name) or name != name.strip() or not name


_CONTROL = "it has a line break or another control character"
_NOT_UTF8 = ("it is not valid Unicode", _is_no_text)
_ONE_PER_LINE = ("its list of classes has one per line, without spaces around it", _is_no_line)
_BAD_NAMES: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "comp4": ("it writes a file per class, and this is no part of a file name", _is_no_file_name),
    **dict.fromkeys(("yolo", "yolo-scores"), _ONE_PER_LINE),
    "csv": (_CONTROL, _has_control),
    "voc": (_CONTROL, _has_control),
}
