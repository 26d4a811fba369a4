"""The tensors of a weights file by name, whichever code wrote it. Nothing in the file is run."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.weights.caffemodel import read_caffemodel
from ssd300.weights.pickled import read_pickled

SUFFIXES = ".pth .pt .tar .pkl .safetensors .caffemodel .npz"
_CHAINER_ENDINGS = {"W": "weight", "b": "bias", "scale": "weight"}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The file's tensors; the suffix of its name decides how it is read, and other suffixes mean torch.save.

    Raises:
        WeightsError: there is no such file, it is damaged or hostile, or a .caffemodel or torch.save's file has no
            tensors.
    """
    if not path.is_file():
        raise WeightsError("there is no such file", where=path, fix=f"Name a checkpoint ({SUFFIXES}).")
    if path.suffix == ".caffemodel":
        return read_caffemodel(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return read_pickled(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"this safetensors file is incomplete or damaged ({error})", where=path, fix="Copy the file again."
        ) from error


def _read_npz(path: Path) -> dict[str, Tensor]:
    """ChainerCV's arrays in float32. W, b and scale get the names that torch has for them; other arrays are dropped."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            tensors = {}
            for name in arrays.files:
                layer, _, kind = name.rpartition("/")
                if kind in _CHAINER_ENDINGS:
                    values = np.asarray(arrays[name], np.float32)
                    tensors[f"{layer}.{_CHAINER_ENDINGS[kind]}"] = torch.from_numpy(values)
            return tensors
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise WeightsError(
            f"this npz file is incomplete or damaged ({type(error).__name__}: {error})",
            where=path,
            fix="Copy the file again.",
        ) from error
