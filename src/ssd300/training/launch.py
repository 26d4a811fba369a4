"""Restarts by `torchrun`: a start goes on with the run that an earlier start of the same launch began.

If a process dies, or a machine joins, `torchrun` ends the others and starts all again with the same arguments. The run
folder names the launch that wrote into it last, so the next start knows that the folder is its own.
"""

from pathlib import Path

from ssd300 import run_layout
from ssd300.system.files import write_text
from ssd300.system.processes import launch_id


def is_own(folder: Path) -> bool:
    """Whether this launch began the run in the folder, or resumed it."""
    path, own = folder / run_layout.LAUNCH, launch_id()
    return own is not None and path.is_file() and path.read_text(encoding="utf-8") == own


def has_state(folder: Path) -> bool:
    """Whether there is a state to resume from."""
    return any((folder / name).is_file() for name in (run_layout.STATE, run_layout.PREVIOUS_STATE))


def make_own(folder: Path) -> None:
    """Write the name of this launch into the folder; without `torchrun`, remove that of an earlier one."""
    path, own = folder / run_layout.LAUNCH, launch_id()
    if own is None:
        path.unlink(missing_ok=True)
    else:
        write_text(path, own)
