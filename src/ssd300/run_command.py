"""The commands that trained a run, which its folder stores, and the one that continues it."""

import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from ssd300 import run_layout

OUT = ("--out", "-o")


def stored_commands(folder: Path) -> list[str]:
    """The command lines of a run, the first one first; none if the file is not there or cannot be read."""
    try:
        return (folder / run_layout.COMMAND).read_text(encoding="utf-8").strip().splitlines()
    except (OSError, ValueError):
        return []


def last_words(folder: Path) -> list[str]:
    """The words of the last command from its verb on; none if there is no command."""
    try:
        return shlex.split(stored_commands(folder)[-1])[1:]
    except (ValueError, IndexError):
        return []


def resuming(words: Sequence[str]) -> str:
    """The command line of a training, from its verb on, as the one that continues it."""
    return shlex.join(["ssd300", *(word for word in words if word not in ("--resume", "--overwrite")), "--resume"])


def resume_command(folder: Path) -> str | None:
    """The last command that trained the run in a folder, as the one that continues it there; None if there is none."""
    words = last_words(folder)
    return resuming(_with_out(words, folder)) if words[:1] == ["train"] else None


def _with_out(words: Sequence[str], folder: Path) -> list[str]:
    """The words, with this folder for --out if that names another one: the run was moved or copied."""
    changed, here = list(words), folder.resolve()
    for place, (before, word) in enumerate(pairwise(["", *words])):
        name, equals, value = word.partition("=")
        if before in OUT:
            name, equals, value = "", "", word
        elif name not in OUT or not equals:
            continue
        out = Path(value)
        may_be_here = out.name == here.name and not out.is_absolute() and not out.exists()  # seen from another folder
        if out.resolve() != here and not may_be_here:
            changed[place] = f"{name}{equals}{folder}"
    return changed
