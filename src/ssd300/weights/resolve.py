"""From the --weights that a user typed to a detector: a run folder, a weights file, or a name of `named`."""

from pathlib import Path

import torch

from ssd300 import run_layout
from ssd300.errors import WeightsError
from ssd300.model import SSD
from ssd300.weights.format import Card, read_card_file, read_weights_file
from ssd300.weights.named import NAMED, named_detector


def resolve_weights(weights: str | Path) -> Path:
    """The path of the weights file: ours, or any other existing file as it is. A name may be downloaded.

    A file or folder on disk takes precedence over a published name.

    Raises:
        WeightsError: there is no such file or name, the folder is not a run folder, or the name is a backbone's.
        DownloadError: the named weights cannot be downloaded.
    """
    path = Path(weights)
    if path.is_dir():
        if (path / run_layout.BEST_WEIGHTS).is_file():
            return path / run_layout.BEST_WEIGHTS
        files = sorted(file for pattern in ("*.onnx", "*.xml", "*.safetensors") for file in path.glob(pattern))
        files = [file for file in files if file.suffix != ".xml" or file.with_suffix(".bin").is_file()]  # not VOC's
        fix = f"Name {files[0]}." if files else "Name a folder that `ssd300 train --out` wrote."
        raise WeightsError(f"the folder has no {run_layout.BEST_WEIGHTS}", where=path, fix=fix)
    if path.exists():
        return path
    if str(weights) in NAMED:
        return named_detector(str(weights))
    raise WeightsError(
        "there is no such weights file",
        where=path,
        fix="Name a run folder, a .safetensors file of ssd300, an exported .onnx or .xml file, or one of "
        f"{', '.join(NAMED)}.",
    )


def read_card(weights: str | Path) -> Card:
    """The card alone; the tensors are not read. Raises WeightsError or DownloadError."""
    return read_card_file(resolve_weights(weights))


def load_weights(weights: str | Path, *, device: torch.device | str = "cpu") -> tuple[SSD, Card]:
    """The detector, in evaluation mode, and its card. Raises WeightsError or DownloadError."""
    return read_weights_file(resolve_weights(weights), device=device)
