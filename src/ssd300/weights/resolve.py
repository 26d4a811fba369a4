"""From the --weights that a user typed to a detector: a run folder, a weights file, or a name of `named`."""

from pathlib import Path

import torch

from ssd300 import run_layout
from ssd300.errors import WeightsError, did_you_mean
from ssd300.model import SSD
from ssd300.run_command import resume_command
from ssd300.system.files import spelled_like
from ssd300.weights.card import Card
from ssd300.weights.format import read_card_file, read_weights_file
from ssd300.weights.named import NAMED, check_is_detector, named_detector


def find_weights(weights: str | Path) -> Path | None:
    """The path of the weights file: ours, or any other existing file as it is; None for a published detector's name.

    A file or folder on disk takes precedence over a published name. Nothing is downloaded.

    Raises:
        WeightsError: there is no such file or name, the folder is not a run folder, or the name is a backbone's.
    """
    path = Path(weights)
    if path.is_dir():
        if (path / run_layout.BEST_WEIGHTS).is_file():
            return path / run_layout.BEST_WEIGHTS
        files = sorted(file for pattern in ("*.onnx", "*.xml", "*.safetensors") for file in path.glob(pattern))
        files = [file for file in files if file.suffix != ".xml" or file.with_suffix(".bin").is_file()]  # not VOC's
        if (path / run_layout.STATE).is_file():
            command = resume_command(path)
            fix = f"They were deleted. Resume the run, which writes them again{f': `{command}`' if command else ''}."
        elif files:
            fix = f"Name {files[0]}."
        else:
            fix = f"Name a folder that `ssd300 train --out` wrote.{_newest()}"
        raise WeightsError(f"the folder has no {run_layout.BEST_WEIGHTS}", where=path, fix=fix)
    if path.exists():
        return path
    if str(weights) in NAMED:
        check_is_detector(str(weights))
        return None
    names = [name for name, known in NAMED.items() if known.is_detector]
    otherwise = (
        f"Name a run folder, a .safetensors file, an exported .onnx or .xml file, or {' or '.join(names)}.{_newest()}"
    )
    if path == Path(path.name):
        otherwise = did_you_mean(path.name, names, otherwise)
    raise WeightsError("there is no such weights file", where=path, fix=spelled_like(path, otherwise))


def _newest() -> str:
    run = run_layout.newest_run()
    return "" if run is None else f" The newest run here is {run}."


def resolve_weights(weights: str | Path) -> Path:
    """The path of the weights file, as `find_weights`; a name is downloaded and converted if it is not here yet.

    Raises:
        WeightsError: as `find_weights`, or the named weights cannot be downloaded.
    """
    return find_weights(weights) or named_detector(str(weights))


def read_card(weights: str | Path) -> Card:
    """The card alone; the tensors are not read. Raises WeightsError."""
    return read_card_file(resolve_weights(weights))


def load_weights(weights: str | Path, *, device: torch.device | str = "cpu") -> tuple[SSD, Card]:
    """The detector, in evaluation mode, and its card. Raises WeightsError."""
    return read_weights_file(resolve_weights(weights), device=device)
