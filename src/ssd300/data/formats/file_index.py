"""The files of a dataset by name: names are compared in one Unicode form, and endings in any case.

Systems write the same letter in two ways (NFC, NFD), so that a list and a file name that look alike may differ.
"""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

# Folders and files that systems and notebooks leave among the data.
LITTER_FOLDERS = frozenset((".ipynb_checkpoints", "__MACOSX", "@eaDir"))
PROGRAM_FOLDERS = frozenset(("__pycache__", "site-packages", "node_modules"))  # and those whose name begins with a dot
ENVIRONMENT = "pyvenv.cfg"  # is in a virtual environment of Python
LITTER_NAMES = frozenset((".ds_store", "thumbs.db", "desktop.ini", ".gitkeep", ".directory"))
IMAGE_FOLDERS = frozenset(("jpegimages", "images", "image", "imgs", "img", "pics", "photos", "pictures"))
LABEL_FOLDERS = frozenset(("annotations", "annotation", "annots", "annos", "anno", "ann", "xmls", "xml", "labels",
                           "label", "bboxes", "bbox"))  # fmt: skip


def is_litter(path: Path) -> bool:
    """Whether the file is one that no one made as data: of macOS, Windows or a notebook."""
    name = path.name.casefold()
    return name.startswith("._") or name in LITTER_NAMES or not LITTER_FOLDERS.isdisjoint(path.parts)


def _of_program(name: str) -> bool:
    """Whether a folder of this name is a program's, such as .git; its files may be many, and images among them."""
    return name in PROGRAM_FOLDERS or (name.startswith(".") and name not in LITTER_FOLDERS)


def walk(root: Path, *, litter: bool = False) -> Iterator[Path]:
    """All files below `root` in sorted order, links followed, without those in hidden folders, virtual environments and
    other folders of programs; with `litter` also those of `is_litter`, and each folder of a program, as a whole.
    """
    for folder, folders, names in os.walk(root, followlinks=True):
        if ENVIRONMENT in names and Path(folder) != root:
            folders.clear()
            if litter:
                yield Path(folder)
            continue
        if litter:
            yield from (Path(folder, name) for name in sorted(folders) if _of_program(name))
        else:
            folders[:] = [name for name in folders if name not in LITTER_FOLDERS]
        folders[:] = [name for name in folders if not _of_program(name)]
        folders[:] = sorted(name for name in folders if not _leads_up(folder, name))
        for name in sorted(names):
            path = Path(folder, name)
            if litter or not is_litter(path.relative_to(root)):
                yield path


def _leads_up(folder: str, name: str) -> bool:
    """Whether it is a link to a folder above, below which everything would be found again and again."""
    path = Path(folder, name)
    return path.is_symlink() and Path(folder).resolve().is_relative_to(path.resolve())


def is_there(path: Path) -> bool:
    """Whether it is a file; False for a text that is too long for a path, where `Path.is_file` raises."""
    return os.path.isfile(path)  # noqa: PTH113  # see above


def folders_in(path: Path) -> list[Path]:
    """The folders directly in `path`, sorted, without litter and those of programs; [] for what is no folder."""
    try:
        with os.scandir(path) as entries:  # says what is a folder without a look at each of many files
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []
    return [
        path / name
        for name in sorted(names)
        if name not in LITTER_FOLDERS and not _of_program(name) and not is_there(path / name / ENVIRONMENT)
    ]


def only_folder(path: Path) -> Path | None:
    """The folder in `path` if it is the only one, as many archives unpack; None if there is none or more."""
    folders = folders_in(path)
    return folders[0] if len(folders) == 1 else None


def nested(path: Path) -> Iterator[Path]:
    """The folder, and below it each that is the only one in the one above."""
    folder: Path | None = path
    while folder is not None:
        yield folder
        folder = only_folder(folder)


def normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def key_of(relative: PurePosixPath | Path) -> str:
    """What an image and its annotation have in common: the path without its ending and without the folders that tell
    images from annotations: `sub/a` for both `Annotations/sub/a.xml` and `JPEGImages/sub/a.jpg`.
    """
    folders = [part for part in relative.parts[:-1] if part.casefold() not in IMAGE_FOLDERS | LABEL_FOLDERS]
    return normal("/".join([*folders, relative.stem]))


class FileIndex:
    """The files below `root` that `accept` takes by name. `folders` are those that hold one."""

    def __init__(self, root: Path, files: Iterable[Path], accept: Callable[[Path], bool]) -> None:
        self.root = root
        self.files = [path for path in files if accept(path)]
        self.folders = sorted({path.parent for path in self.files})
        self._known = frozenset(self.files)
        self._by_key: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in self.files:
            self._by_key[key_of(path.relative_to(root))].append(path)
            self._by_stem[normal(path.stem)].append(path)

    def __contains__(self, path: Path) -> bool:
        return path in self._known

    @property
    def by_key(self) -> Mapping[str, Sequence[Path]]:
        return self._by_key

    def find(self, key: str) -> Sequence[Path]:
        """The files of this key; else those of its last part as name, wherever they are. More than one is ambiguous."""
        key = normal(key)
        return self._by_key.get(key) or self._by_stem.get(key.rsplit("/", 1)[-1], [])

    def find_written(self, written: str) -> Path | None:
        """The file that a path names, which may be of another computer: the file that has the longest end of it.

        None if there is none, or if several have that end.
        """
        parts = [normal(part) for part in PureWindowsPath(written).parts]
        alike = [
            path for path in self._by_stem.get(normal(PureWindowsPath(written).stem), []) if _same_name(path, parts)
        ]
        longest = max((_shared_end(path, parts) for path in alike), default=0)
        nearest = [path for path in alike if _shared_end(path, parts) == longest]
        return nearest[0] if len(nearest) == 1 else None


def _same_name(path: Path, parts: Sequence[str]) -> bool:
    return normal(path.name).casefold() == parts[-1].casefold()


def _shared_end(path: Path, parts: Sequence[str]) -> int:
    """How many of the last parts are the same."""
    shared = 0
    for mine, other in zip(reversed(path.parts), reversed(parts), strict=False):
        if normal(mine).casefold() != other.casefold():
            break
        shared += 1
    return shared
