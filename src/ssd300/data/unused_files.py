"""Files that a dataset does not use: each file below its folders is used, reported, or of another kind and counted."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ssd300.data.formats.annotations import DataFiles
from ssd300.data.formats.file_index import is_litter, walk
from ssd300.data.problems import Fault, Problem
from ssd300.data.sources import JoinedSources
from ssd300.images.header import is_image_name

# Images of cameras and programs that are not decoded here.
UNSUPPORTED = frozenset((".heic", ".heif", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".psd", ".svg", ".eps",
                         ".jxl", ".exr", ".hdr"))  # fmt: skip


@dataclass(frozen=True)
class FileLedger:
    """`used` and `others` are counts of files, `problems` has one for each of the remaining ones: together all files of
    the folders, and those of other places that are used. `others` are neither images nor annotations.
    """

    used: int
    problems: tuple[Problem, ...]
    others: tuple[Path, ...]


def list_files(data: JoinedSources, more: Iterable[Path] = ()) -> FileLedger:
    """The ledger of the folders that the datasets are at, of those that hold their images and annotations, and of the
    folders `more`.
    """
    found = data.files()
    listed = [path for one in found for path in (*one.used, *(known for known in one.known if known.is_file()))]
    used = set(map(_plain, listed))
    seen = set(used)
    problems: list[Problem] = []
    others: list[Path] = []
    homes = [source.home for source in data.sources]
    places = [([home, *one.folders], [one]) for home, one in zip(homes, found, strict=True)]
    for folders, owners in [*places, ([*more], found)]:
        for path in _below(folders):
            if (plain := _plain(path)) in seen:
                continue
            seen.add(plain)
            fault = next((fault for one in owners if (fault := _fault(path, one)) is not None), None)
            others.append(path) if fault is None else problems.append(fault.at(str(path)))
    return FileLedger(used=len(used), problems=tuple(problems), others=tuple(others))


def _plain(path: Path) -> str:
    """One spelling of each path: descriptions of data name absolute ones, and go up with `..`."""
    return os.path.abspath(path)  # noqa: PTH100  # links keep their names


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
        return Fault("litter", "no one made it as data; it is ignored")
    if path.suffix.casefold() in UNSUPPORTED:
        return Fault("unsupported-image", f"{path.suffix} is not read")
    if is_image_name(path) or path.suffix.casefold() == data.label_suffix:
        return data.why(path)
    return None
