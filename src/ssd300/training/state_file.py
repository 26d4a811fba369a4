"""The file of a state: written whole, with its version, and read with the previous one in reserve."""

import logging
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ssd300 import run_layout
from ssd300.errors import RunError
from ssd300.system.files import write_atomically
from ssd300.training.new_run import no_state
from ssd300.training.state_check import VERSION, WRITTEN_BY, Expected, check_state

FORMAT_VERSION = 6  # raise it with each entry or option of training that is added, and read the older ones

log = logging.getLogger(__name__)


def write_state(folder: Path, content: Mapping[str, Any]) -> None:
    """Write it, completely or not at all; the previous one is retained. Raises RunError if it cannot."""
    marked = {VERSION: FORMAT_VERSION, WRITTEN_BY: version("ssd300"), **content}
    write_atomically(
        folder / run_layout.STATE,
        lambda temporary: torch.save(marked, str(temporary)),
        keep=folder / run_layout.PREVIOUS_STATE,
    )


def read_state(folder: Path, expected: Expected) -> tuple[dict[str, Any], Path]:
    """The newest state that is whole, and its file.

    Raises:
        RunError: there is none, or it has a newer format.
    """
    faults = {}
    for path in (folder / run_layout.STATE, folder / run_layout.PREVIOUS_STATE):
        if not path.is_file():
            continue
        try:
            content = _loaded(path)
            _check_version(content, path)
            check_state(content, expected)
        except RunError:
            raise
        except Exception as error:  # torch.load raises whatever its readers do
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            faults[path] = reason if isinstance(error, ValueError) else f"{type(error).__name__}: {reason}"
            continue
        for broken_path, fault in faults.items():
            log.warning("%s cannot be read (%s); the run resumes from %s", broken_path, fault, path.name)
        return content, path
    path = folder / run_layout.STATE
    if not faults:
        raise no_state(folder)
    raise RunError(
        f"the state cannot be read ({faults.get(path) or next(iter(faults.values()))})",
        where=path,
        fix=f"Start a new run in another folder, from its weights with --init {folder}."
        if (folder / run_layout.BEST_WEIGHTS).is_file()
        else "Start a new run in another folder.",
    )


def _loaded(path: Path) -> Any:
    """What is in the file. torch.load alone misses flipped bits; the archive's checksums find them."""
    with zipfile.ZipFile(path) as archive:
        if (broken := archive.testzip()) is not None:
            raise ValueError(f"{broken} is damaged")
    return torch.load(str(path), map_location="cpu", weights_only=True)


def _check_version(content: object, path: Path) -> None:
    """Raises RunError for a state that a newer version wrote: an older one in reserve would lose its steps."""
    if not isinstance(content, dict):
        return
    number = content.get(VERSION)
    if isinstance(number, int) and number > FORMAT_VERSION:
        writer = content.get(WRITTEN_BY, "of a newer version")
        raise RunError(
            f"the state has format version {number}; this ssd300 reads up to {FORMAT_VERSION}",
            where=path,
            fix=f"Resume it with ssd300 {writer}, which wrote it, or a later one.",
        )
