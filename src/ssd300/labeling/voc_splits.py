"""The splits of PASCAL VOC folders, as their lists have them, and images that are added to a list.

An image that no list names is in no split, so that training on a split leaves it out.
"""

import codecs
from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.data.formats.file_index import key_of
from ssd300.data.formats.text import read_text
from ssd300.data.formats.voc_folder import VocFolder
from ssd300.data.splits import WHOLE, role_of
from ssd300.errors import DataError
from ssd300.system.files import write_bytes

PARTS, WHOLE_OF_THEM = ("train", "val"), "trainval"  # VOC lists the images of both in the third too


class VocSplits:
    """The images of each split. `fault` is why a list cannot be read, "" if all can."""

    def __init__(self, folders: Sequence[VocFolder]) -> None:
        self._folders = folders
        self._read()

    @property
    def lists(self) -> Sequence[str]:
        """The splits whose lists images can be added to: those that each folder has one file for."""
        names = [name for name in self.images if role_of(name) is not None]
        return [name for name in names if all(len(folder.lists.get(name, ())) == 1 for folder in self._folders)]

    def add(self, name: str, images: Sequence[Path]) -> Sequence[str]:
        """Add images to the list of a split, and to that of train and val together if it is one of them.

        Returns the names of the lists that were changed. A file keeps its lines and their ends.

        Raises:
            DataError: there is no such list, or it has a flag in each line.
            RunError: a list cannot be written.
        """
        if name not in self.lists:
            raise DataError(f"there is no list '{name}'", fix=f"Choose one of {', '.join(self.lists) or 'none'}.")
        whole = [WHOLE_OF_THEM] if role_of(name) in PARTS and WHOLE_OF_THEM in self.lists else []
        names = [name, *whole]
        for folder in self._folders:
            keys = [key_of(one.relative_to(folder.root)) for one in images if one in folder.images]
            for one in names if keys else ():
                known = set(folder.ids(one))
                _append(folder.lists[one][0], [key for key in keys if key not in known])
        self._folders = [VocFolder(folder.root) for folder in self._folders]
        self._read()
        return names

    def _read(self) -> None:
        self.fault = ""
        found: dict[str, list[Path]] = {}
        for folder in self._folders:
            for name in folder.splits:
                if name == WHOLE:
                    continue
                try:
                    keys = folder.ids(name)
                except DataError as error:
                    self.fault = str(error)
                    continue
                images = [images[0] for key in keys if len(images := folder.images.find(key)) == 1]
                found.setdefault(name, []).extend(images)
            if not folder.lists:
                for image in folder.images.files:  # one without labels as well: they will lie beside it
                    parts = image.relative_to(folder.root).parts[:-1]
                    if name := next((part for part in parts if role_of(part)), ""):
                        found.setdefault(name, []).append(image)
        self.images: Mapping[str, Sequence[Path]] = {name: list(dict.fromkeys(one)) for name, one in found.items()}


def _append(file: Path, keys: Sequence[str]) -> None:
    """Add lines to a list. Raises DataError for a list whose lines have flags, RunError."""
    text = read_text(file)
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if rows and all(len(row) > 1 and row[-1] in ("-1", "0", "1") for row in rows):
        raise DataError("the list has a flag in each line", where=file, fix="Add the images with an editor.")
    content = file.read_bytes()
    encoding = "utf-8"
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        encoding = name if content.startswith(mark) else encoding
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith(("\n", "\r")) else end
    if keys:
        write_bytes(file, content + (gap + "".join(f"{key}{end}" for key in keys)).encode(encoding))
