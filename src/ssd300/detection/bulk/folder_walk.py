"""The files in a folder and in all folders below it, and what is left out there, with the reason."""

import os
from pathlib import Path

from ssd300.detection.folder_files import is_hidden_folder


def files_below(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files, relative with slashes, sorted; and in words each entry that is left out: links to nothing
    and to folders, what is no file, and folders that cannot be read. Hidden entries, and those that a system makes, are
    in neither.
    """
    files: list[str] = []
    left_out: list[str] = []
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = list(os.scandir(folder / below))
        except OSError as error:
            left_out.append(f"{below or folder}, which cannot be read ({error.strerror})")
            continue
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not is_hidden_folder(entry.name):
                    waiting.append(f"{name}/")
            elif entry.name.startswith("."):
                continue
            elif (why := _why_not(entry)) is None:
                files.append(name)
            else:
                left_out.append(f"{name}, {why}")
    return sorted(files), sorted(left_out)


def _why_not(entry: "os.DirEntry[str]") -> str | None:
    """Why an entry that is no folder is no file; None for a file."""
    try:
        if entry.is_file():
            return None
        if not entry.is_symlink():
            return "which is no regular file"
        return "a link to a folder" if entry.is_dir() else "a link to nothing"
    except OSError as error:
        return f"which cannot be read ({error.strerror})"
