"""Files that a dataset does not use: each file below its folders is used, reported, or of another kind and counted."""

import os
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from ssd300.data.formats.annotations import DataFiles
from ssd300.data.formats.file_index import is_litter, walk
from ssd300.data.problems import Fault, Problem
from ssd300.data.sources import JoinedSources
from ssd300.images.header import is_image_name
from ssd300.system.files import absolute
from ssd300.system.wording import plural

# Images of cameras and programs that are not decoded here.
UNSUPPORTED = frozenset((".heic", ".heif", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".psd", ".svg", ".eps",
                         ".jxl", ".exr", ".hdr"))  # fmt: skip


@dataclass(frozen=True)
class FileLedger:
    """All files of the folders, and those of other places that are used: `used` and `reported` count them, `others` are
    neither images nor annotations. `problems` has one for each that is reported, or one for a folder of a program.
    """

    used: int
    reported: int
    problems: tuple[Problem, ...]
    others: tuple[Path, ...]


def list_files(data: JoinedSources, more: Iterable[Path] = ()) -> FileLedger:
    """The ledger of the folders that the datasets are at, of those that hold their images and annotations, and of the
    folders `more`.
    """
    found = data.files()
    listed = [path for one in found for path in (*one.used, *(known for known in one.known if known.is_file()))]
    used = set(map(absolute, listed))
    seen = set(used)
    problems: list[Problem] = []
    reported = 0
    others: list[Path] = []
    homes = [source.home for source in data.sources]
    places = [([home, *one.folders], [one]) for home, one in zip(homes, found, strict=True)]
    for folders, owners in [*places, ([*more], found)]:
        for path in _below(folders, used):
            if (plain := absolute(path)) in seen:
                continue
            seen.add(plain)
            if path.is_dir():
                if count := _count(path):
                    problems.append(_of_program(count).at(str(path)))
                    reported += count
                continue
            fault = next((fault for one in owners if (fault := _fault(path, one)) is not None), None)
            if fault is None:
                others.append(path)
            else:
                problems.append(fault.at(str(path)))
                reported += 1
    return FileLedger(used=len(used), reported=reported, problems=tuple(problems), others=tuple(others))


def _below(folders: Iterable[Path], used: Iterable[str]) -> Iterable[Path]:
    """All files below the folders, each folder once; a folder of a program as a whole if nothing in it is used."""
    last = {Path(path).parent for path in used}
    homes = {str(folder) for one in last for folder in (one, *one.parents)}
    tops: list[Path] = []
    for folder in sorted(set(folders), key=lambda path: len(path.parts)):
        if folder.is_dir() and not any(folder.is_relative_to(top) for top in tops):
            tops.append(folder)
    for top in tops:
        yield from _files(top, homes)


def _files(top: Path, homes: Container[str]) -> Iterable[Path]:
    for path in walk(top, litter=True):
        if absolute(path) in homes:  # a folder of a program: files are not
            yield from _files(path, homes)
        else:
            yield path


def _count(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


def _of_program(count: int) -> Fault:
    what = f"a folder of a program, hidden or a virtual environment: its {plural(count, 'file')} "
    return Fault("litter", what + ("is ignored" if count == 1 else "are ignored"), "Nothing is needed.")


def _fault(path: Path, data: DataFiles) -> Fault | None:
    if is_litter(path):
        return Fault("litter", "no one made it as data; it is ignored")
    if path.suffix.casefold() in UNSUPPORTED:
        return Fault("unsupported-image", f"{path.suffix} is not read")
    if is_image_name(path) or path.suffix.casefold() == data.label_suffix:
        return data.why(path)
    return None
