"""What comes next: the commands that a verb prints last, with the user's own paths, ready to be copied."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd300.cli.options import say_result
from ssd300.reporting.next_steps import EXAMPLE, command, free_run

if TYPE_CHECKING:
    from ssd300.data import Dataset

HOLD_OUT = ("--holdout", "0.2")  # for data without a held-out split, as otherwise nothing is measured


def training(data: Sequence[Path], *options: object) -> tuple[str, str]:
    """The step that trains on `data` into a run folder of the data's name, or the next free one: lists may be there."""
    first = data[0].resolve()  # a folder called `.` has no name
    name = first.stem if first.is_file() else first.name
    return command("train", *data, "--out", free_run(name).as_posix(), *options), "train on it"


def the_picture(dataset: "Dataset | None") -> Path:
    """An image to detect on: the first of the dataset, or a name in its place."""
    first = dataset.annotations[0].image_path if dataset is not None and len(dataset) else None
    return first if first is not None and first.is_file() else Path(EXAMPLE)


def next_steps(commands: Sequence[tuple[str, str]]) -> None:
    """Print each command below a few words on what it does, on stdout; nothing for none. Not for `--json`.

    `commands` are pairs (command, words). A command has a line of its own, whole and without a comment behind it: zsh
    would pass a `#` that is typed or pasted on to the command.
    """
    if commands:
        say_result(["", "next:", *(line for typed, words in commands for line in (f"  {words}:", f"    {typed}"))])
