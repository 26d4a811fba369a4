"""Tensors from the files that `torch.save` writes, with nothing in them run.

Reads both of torch's formats: the zip archive, and the sequence of pickles that torch wrote before version 1.6.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.weights.inert_pickle import HostilePickleError, Inert, InertUnpickler, LateTensor, Storage

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py, MAGIC_NUMBER
LARGEST_PROGRAM = 64 * 2**20  # bytes of pickle; a checkpoint of SSD300 has under a hundred thousand
COPY = "Copy the file again, or name another."


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of `torch.save`, by the names that a state dict gives them.

    They may be in a state dict, in a dict around one ("model", "state_dict"…), or in a pickled module, whose classes
    need not be installed. The prefix "module." of DataParallel is removed.

    Raises:
        WeightsError: the file cannot be opened, is damaged, was not written by torch, is hostile, or holds no named
            tensors.
    """
    try:
        found = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        tensors = {name: value.load() for name, value in _named(found)}
    except WeightsError:
        raise
    except HostilePickleError as error:
        raise WeightsError(
            f"unpickling the file would run {error}; it was refused, and nothing in it was run",
            where=path,
            fix="Do not open it with a program that runs pickles. Get the weights from another source.",
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes lead to
        raise WeightsError(
            f"this is not a complete file of torch.save ({type(error).__name__}: {str(error)[:100]})",
            where=path,
            fix=COPY,
        ) from error
    if not tensors:
        raise WeightsError("the file holds no tensors with names", where=path, fix="Name a checkpoint of a detector.")
    return tensors


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise WeightsError(
                "the archive unpacks to more than its own size; torch does not compress its archives",
                where=path,
                fix=COPY,
            )
        program = next((entry for entry in entries if entry.filename.endswith("/data.pkl")), None)
        if program is None:
            raise WeightsError("this zip archive is not a checkpoint: it has no data.pkl", where=path, fix=COPY)
        if program.file_size > LARGEST_PROGRAM:
            raise WeightsError("its pickle is too large for a checkpoint", where=path, fix=COPY)
        root = program.filename.removesuffix("data.pkl") + "data/"
        # Reading an entry checks its CRC, which finds damage that torch.load does not.
        numbers = {
            entry.filename.removeprefix(root): archive.read(entry)
            for entry in entries
            if entry.filename.startswith(root)
        }
        return InertUnpickler(io.BytesIO(archive.read(program)), {}, numbers).load()


def _read_legacy(path: Path) -> Any:
    storages: dict[str, Storage] = {}
    with path.open("rb") as file:
        if InertUnpickler(file, {}, {}).load() != LEGACY_MAGIC:
            raise WeightsError("torch.save did not write this file", where=path, fix="Name a checkpoint.")
        for _ in ("protocol version", "machine"):
            InertUnpickler(file, {}, {}).load()
        found = InertUnpickler(file, storages, {}).load()
        for key in InertUnpickler(file, {}, {}).load():
            storage = storages[str(key)]
            count = int.from_bytes(file.read(8), "little", signed=True)
            wanted = count * storage.dtype.itemsize
            data = file.read(wanted) if 0 <= wanted <= path.stat().st_size else b""
            if len(data) != wanted:
                raise EOFError("the file ends in the middle of its numbers")
            storage.data.extend(data)
    return found


def _named(found: Any) -> Iterator[tuple[str, LateTensor]]:
    """(name, tensor) of what was unpickled; where several parts hold tensors, those of the part with the most."""
    parts = [found, *(found.values() if isinstance(found, dict) else ())]
    named = max(([*_walk(part, "")] for part in parts if isinstance(part, (dict, Inert))), key=len, default=[])
    dataparallel = bool(named) and all(name.startswith("module.") for name, _ in named)
    for name, tensor in named:
        yield (name.removeprefix("module.") if dataparallel else name), tensor


def _walk(part: Any, prefix: str) -> Iterator[tuple[str, LateTensor]]:
    """The entries of a state dict, or the parameters and buffers of a module and of the modules in it."""
    if isinstance(part, dict):
        for name, value in part.items():
            if isinstance(value, LateTensor) and isinstance(name, str):
                yield prefix + name, value
    elif isinstance(part, Inert) and isinstance(part.state, dict):
        state = part.state
        for kind in ("_parameters", "_buffers"):
            yield from _walk(state.get(kind), prefix)
        yield from _walk({name: value for name, value in state.items() if isinstance(value, LateTensor)}, prefix)
        children = state.get("_modules")
        for name, child in children.items() if isinstance(children, dict) else ():
            yield from _walk(child, f"{prefix}{name}.")
