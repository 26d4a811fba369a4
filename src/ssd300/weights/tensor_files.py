"""What a weights file holds, whichever code wrote it. Nothing in the file is run."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.system.files import spelled_like
from ssd300.weights.caffemodel import read_caffemodel, read_net_name
from ssd300.weights.contents import Contents, contents_of
from ssd300.weights.other_files import check_is_checkpoint
from ssd300.weights.pickled import COPY, read_pickled

SUFFIXES = ".pth .pt .tar .pkl .safetensors .caffemodel .npz"
_CHAINER_ENDINGS = {"W": "weight", "b": "bias", "scale": "weight"}


def read_contents(path: Path) -> Contents:
    """The file's tensors, and what else it says; the suffix of its name decides how it is read, and other suffixes mean
    torch.save.

    Raises:
        WeightsError: there is no such file, it is damaged or refused, is no checkpoint at all, or has no tensors.
    """
    if not path.exists():
        raise WeightsError(
            "there is no such file", where=path, fix=spelled_like(path, f"Name a checkpoint ({SUFFIXES}).")
        )
    check_is_checkpoint(path)
    suffix = path.suffix.casefold()
    if suffix == ".caffemodel":
        return contents_of(read_caffemodel(path), title=read_net_name(path) or path.name)
    if suffix == ".npz":
        return contents_of(_read_npz(path), title=path.name)
    if suffix == ".safetensors":
        return _read_safetensors(path)
    return read_pickled(path)


def load_tensors(contents: Contents, names: Iterable[str], path: Path) -> dict[str, Tensor]:
    """The numbers of some of the file's tensors, by their names there. Raises WeightsError for damaged ones."""
    loaded = {}
    for name in names:
        value = contents.tensors[name]
        try:
            loaded[name] = value if isinstance(value, Tensor) else value.load()
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"the numbers of {name} are not complete", where=path, fix=COPY) from error
    return loaded


def _read_safetensors(path: Path) -> Contents:
    try:
        with safe_open(path, framework="pt") as file:
            contents = Contents(title=path.name)
            contents.tensors.update({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  # no mapping
            contents.keys[""] = None
            for key, text in (file.metadata() or {}).items():
                contents.class_lists |= contents_of({key: _parsed(text)}).class_lists
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"this safetensors file is incomplete or damaged ({error})", where=path, fix="Copy the file again."
        ) from error
    return contents


def _parsed(text: str) -> Any:
    """A value of the metadata, which are all text: as JSON if it is that."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


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
