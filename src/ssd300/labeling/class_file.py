"""The classes of labels whose format has no list of them: a text file with one class per line, for those without
objects so far. It is written once a class is added.
"""

from collections.abc import Sequence
from pathlib import Path

from ssd300.data.formats.text import read_text
from ssd300.system.files import write_text

NAME = "classes.txt"


class ClassFile:
    """The list in a folder. `first` are classes that were named on the command line."""

    def __init__(self, folder: Path, first: Sequence[str] = ()) -> None:
        """Raises DataError for a file that is no text."""
        self.path = folder / NAME
        own = read_text(self.path).splitlines() if self.path.is_file() else ()
        self.names = list(dict.fromkeys([*first, *(line.strip() for line in own if line.strip())]))

    def add(self, name: str) -> None:
        self._write([*self.names, name])

    def rename(self, old: str, new: str) -> None:
        """Replace a class, or drop it where the new one is listed already; nothing for a class that is not listed."""
        if old in self.names:
            self._write(list(dict.fromkeys(new if name == old else name for name in self.names)))

    def _write(self, names: list[str]) -> None:
        write_text(self.path, "".join(f"{name}\n" for name in names))
        self.names = names
