"""What comes next, as commands that work as they are: with the paths of this run or this data, quoted for the shell."""

import shlex
from pathlib import Path
from typing import NamedTuple

from ssd300 import run_layout
from ssd300.run_command import resume_command
from ssd300.system.files import free_folder

EXAMPLE = "photo.jpg"
PROGRAMS = ("ssd300", "ssd300.exe", "__main__.py")


class Step(NamedTuple):
    """A command, and a few words on what it does."""

    purpose: str
    command: str


def command(*words: object) -> str:
    """The words after `ssd300` as one line, quoted for the shell: `command("train", folder, "--out", run)`."""
    return shlex.join(["ssd300", *map(str, words)])


def free_run(name: str) -> Path:
    """A folder for a run of this name, `runs/mine` for "", that has nothing in it: else `runs/mine-2` and so on."""
    return free_folder(Path("runs", name or "mine"))


def as_typed(line: str) -> str:
    """A command line as it is stored, with the path of the program, as one types it: `ssd300 train ...`."""
    program, _, rest = line.partition(" ")
    return f"ssd300 {rest}" if Path(program.strip("'\"")).name in PROGRAMS else line


def steps_with_weights(weights: str | Path, example: str | Path | None = None) -> list[Step]:
    """To detect, serve and export with these weights; `example` is an image to begin with, if it is there.

    An exported file is not exported again.
    """
    path = Path(weights)
    image = Path(example) if example is not None and Path(example).is_file() else EXAMPLE
    steps = [
        Step("Detect on your own images: put a file or a folder in place of this one.",
             command("detect", image, "--weights", weights)),
        Step("Use it in the browser, or from other programs over HTTP.", command("serve", "--weights", weights)),
    ]  # fmt: skip
    if path.is_dir() or path.suffix == ".safetensors":
        file = path / "model.onnx" if path.is_dir() else path.with_suffix(".onnx")
        export = command("export", "--weights", weights, "--out", file)
        steps.append(Step("Write one file that runs without PyTorch (ONNX).", export))
    return steps


def steps_of_run(folder: Path, example: str | Path | None = None) -> list[Step]:
    """Those with the best weights of a run, or, before its first evaluation, with its last; none before it has any."""
    folder = folder.resolve()
    if (folder / run_layout.BEST_WEIGHTS).is_file():
        return steps_with_weights(folder, example)
    last = folder / run_layout.LAST_WEIGHTS
    return steps_with_weights(last, example) if last.is_file() else []


def step_to_resume(folder: Path) -> Step | None:
    """The command that continues the run, from its last one; None if it was not started by a command."""
    line = resume_command(folder)
    purpose = "Go on with the training, if it was stopped (in the folder in which it was started)."
    return None if line is None else Step(purpose, line)
