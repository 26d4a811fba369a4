"""Files that a dataset does not use: each file below its folders is used, reported, or of another kind and counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd300.data.formats.annotations import DataFiles
from ssd300.data.formats.file_index import is_litter, walk
from ssd300.data.problems import Fault, Problem
from ssd300.images.read import is_image_name

# Images of cameras and programs that are not decoded here.
UNSUPPORTED = frozenset((".heic", ".heif", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".psd", ".svg", ".eps",
                         ".jxl", ".exr", ".hdr"))  # fmt: skip


@dataclass(frozen=True)
class FileLedger:
    """`used` and `others` are counts of files, `problems` has one for each of the remaining ones: together all files of
    the folders. `others` are neither images nor annotations.
    """

    used: int
    problems: tuple[Problem, ...]
    others: tuple[Path, ...]


def list_files(data: Sequence[DataFiles], more: Iterable[Path] = ()) -> FileLedger:
    """The ledger of the folders that hold images and annotations, and of all below the folders `more`."""
    used = {path for one in data for path in one.used}
    problems: list[Problem] = []
    others: list[Path] = []
    seen: set[Path] = set()
    for one in data:
        for path in _below(one.folders):
            if path in seen:
                continue
            seen.add(path)
            if path not in used and path not in one.known:
                fault = _fault(path, one)
                others.append(path) if fault is None else problems.append(fault.at(str(path)))
    known = {path for one in data for path in one.known}
    for path in _below(more):
        if path in seen or path in used:
            continue
        seen.add(path)
        litter = path not in known and is_litter(path)
        problems.append(_LITTER.at(str(path))) if litter else others.append(path)
    return FileLedger(used=len(used), problems=tuple(problems), others=tuple(others))


_LITTER = Fault("litter", "no one made it as data; it is ignored")


def _below(folders: Iterable[Path]) -> Iterable[Path]:
    """All files below the folders, each folder once."""
    tops: list[Path] = []
    for folder in sorted(set(folders), key=lambda path: len(path.parts)):
        if folder.is_dir() and not any(folder.is_relative_to(top) for top in tops):
            tops.append(folder)
    for top in tops:
        yield from walk(top, litter=True)


def _fault(path: Path, data: DataFiles) -> Fault | None:
    if is_litter(path):
        return _LITTER
    if path.suffix.casefold() in UNSUPPORTED:
        return Fault("unsupported-image", f"{path.suffix} is not read")
    if is_image_name(path) or path.suffix.casefold() == data.label_suffix:
        return data.why(path)
    return None
