"""What stops a run before its first step: no state to resume from, or a start (`--init`) that it would overwrite."""

from pathlib import Path

from ssd300 import run_layout
from ssd300.errors import RunError, UsageError
from ssd300.system.files import free_beside, is_empty


def no_state(folder: Path) -> RunError:
    """The error for a run without a state to resume from, with what else there is to do."""
    fix = "Start the run without --resume."
    if (folder / run_layout.BEST_WEIGHTS).is_file():
        fix = f"Start another run from its weights: without --resume, with --init {folder} --out {free_beside(folder)}."
    elif folder.is_dir() and not is_empty(folder):
        fix = f"Start the run without --resume in another folder: --out {free_beside(folder)}."
    return RunError("there is no state to resume from", where=folder, fix=fix)


def check_start_is_kept(folder: Path, init: str) -> None:
    """Refuse a new run in the folder of the weights that it starts from, which it would replace. Raises UsageError."""
    start, weights = Path(init).resolve(), (folder / run_layout.BEST_WEIGHTS).resolve().parent
    if start.exists() and (start == folder.resolve() or start.is_relative_to(weights)):
        fix = f"Name another folder: --out {free_beside(folder)}."
        raise UsageError("the run would replace the weights that it starts from (--init)", where=folder, fix=fix)
