"""Tensors out of the files that `torch.save` writes, with nothing in them ever run.

A pickle is a program that may call any function by name. Here every name stands for an inert object that keeps what
it was given and does nothing; only the functions that put a tensor together are real, and they are ours. Reads both
of torch's forms: the zip archive, and the older sequence of pickles that files from before torch 1.6 are.
"""

import io
import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from ssd300.errors import WeightsError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py, MAGIC_NUMBER
LARGEST_PROGRAM = 64 * 2**20  # bytes of pickle; a checkpoint of SSD300 has under a hundred thousand
COPY = "Copy the file again, or name another."

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


# Of Python's own library a checkpoint has these at most. Any other name there is a program, and the file is refused.
_HARMLESS = {"collections", "copyreg", "datetime", "pathlib", "argparse", "_codecs"}
_BUILTINS = {"__builtin__", "builtins"}
_HARMLESS_BUILTINS = {"object", "set", "frozenset", "list", "dict", "tuple", "slice", "range", "complex", "bytearray"}


class Inert:
    """Stands for any object of any class: keeps arguments, state and items, and runs nothing."""

    def __new__(cls, *_arguments: object, **_named: object) -> "Inert":
        return super().__new__(cls)

    def __init__(self, *arguments: object, **_named: object) -> None:
        self.arguments = arguments
        self.state: Any = None
        self.items: dict[Any, Any] = {}

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        self.items[key] = value

    def append(self, value: object) -> None:
        self.items[len(self.items)] = value

    def extend(self, values: Any) -> None:
        for value in values:
            self.append(value)

    def add(self, value: object) -> None:
        self.append(value)


class _Dict(dict[Any, Any]):
    """An OrderedDict of the file; the metadata that a state dict carries beside its entries is not kept."""

    def __setstate__(self, _state: object) -> None: ...


@dataclass(frozen=True)
class _Storage:
    """A flat run of numbers that tensors are views of; `data` is filled last in the older form."""

    dtype: torch.dtype
    data: bytearray

    def tensor(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        whole = torch.frombuffer(self.data, dtype=self.dtype) if self.data else torch.empty(0, dtype=self.dtype)
        return whole.as_strided(size, stride, offset).clone()


@dataclass(frozen=True)
class _LateTensor:
    """A tensor whose numbers come later in the file."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class HostilePickleError(Exception):
    """The file names a function of Python that no checkpoint needs."""


class _Reader(pickle._Unpickler):  # Python's own: the one in C allocates as much as the file says
    """Unpickles into plain containers, inert objects and late tensors."""

    def __init__(self, file: io.BufferedIOBase, storages: dict[str, _Storage], numbers: Mapping[str, bytes]) -> None:
        super().__init__(file, encoding="latin-1")
        self.storages = storages
        self.numbers = numbers

    def find_class(self, module: str, name: str) -> Any:
        if module == "collections" and name == "OrderedDict":
            return _Dict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "torch" and name == "Size":
            return tuple
        if module == "torch._utils" and name in _REBUILD:
            return _REBUILD[name]
        top = module.split(".")[0]
        if (top in _BUILTINS and name not in _HARMLESS_BUILTINS) or (
            top in sys.stdlib_module_names and top not in _HARMLESS | _BUILTINS
        ):
            raise HostilePickleError(f"{module}.{name}")
        return type(name, (Inert,), {})

    def persistent_load(self, identity: Any) -> Any:
        if isinstance(identity, tuple) and identity and identity[0] == "module":
            return identity[1]  # the older form writes a class with its source code beside it
        kind, dtype, key = identity[:3]
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("a reference to something that is no storage of numbers")
        key = str(key)
        if key not in self.storages:
            self.storages[key] = _Storage(dtype, bytearray(self.numbers.get(key, b"")))
        return self.storages[key]

    def load_bytearray8(self) -> None:
        raise pickle.UnpicklingError("a byte array, which no checkpoint has")

    def load_state(self) -> None:
        stack: list[Any] = self.stack  # type: ignore[attr-defined]  # typeshed leaves it out
        if not isinstance(stack[-2], Inert | _Dict):  # else it would set attributes of our own functions
            raise pickle.UnpicklingError("a state for something that has none")
        super().load_build()  # type: ignore[misc]  # typeshed leaves it out

    dispatch: ClassVar[dict[int, Any]] = pickle._Unpickler.dispatch | {
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.BUILD[0]: load_state,
    }


def _rebuild_tensor(storage: _Storage, offset: int, size: Any, stride: Any, *_rest: object) -> _LateTensor:
    return _LateTensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _rebuild_parameter(data: Any, *_rest: object) -> Any:
    return data


_REBUILD = {
    "_rebuild_tensor": _rebuild_tensor,
    "_rebuild_tensor_v2": _rebuild_tensor,
    "_rebuild_parameter": _rebuild_parameter,
    "_rebuild_parameter_with_state": _rebuild_parameter,
}


def read_pickled(path: Path) -> dict[str, Tensor]:
    """All tensors of a file of `torch.save`, by the names that a state dict gives them.

    Finds them in a state dict, in a dict around one ("model", "state_dict"…), or in a pickled module, whose classes
    need not exist here. A leading "module." of DataParallel is taken off.

    Raises:
        WeightsError: the file is damaged, no file of torch, or holds no named tensors.
    """
    try:
        found = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        tensors = {name: value.storage.tensor(value.offset, value.size, value.stride) for name, value in _named(found)}
    except WeightsError:
        raise
    except HostilePickleError as error:
        raise WeightsError(
            f"the file would run {error} when it is unpickled as torch does it; nothing of it was run",
            where=path,
            fix="Do not open it with anything that runs pickles; get the weights from another source.",
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes come to
        raise WeightsError(
            f"this is not a whole file of torch.save ({type(error).__name__}: {str(error)[:100]})", where=path, fix=COPY
        ) from error
    if not tensors:
        raise WeightsError("the file holds no tensors with names", where=path, fix="Name a checkpoint of a detector.")
    return tensors


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise WeightsError(
                "the archive unpacks to more than its own size, which torch never writes", where=path, fix=COPY
            )
        program = next((entry for entry in entries if entry.filename.endswith("/data.pkl")), None)
        if program is None:
            raise WeightsError("this zip is no checkpoint: it has no data.pkl", where=path, fix=COPY)
        if program.file_size > LARGEST_PROGRAM:
            raise WeightsError("its pickle is too large for a checkpoint", where=path, fix=COPY)
        root = program.filename.removesuffix("data.pkl") + "data/"
        # Reading an entry checks its CRC, which finds the damage that torch.load passes over.
        numbers = {
            entry.filename.removeprefix(root): archive.read(entry)
            for entry in entries
            if entry.filename.startswith(root)
        }
        return _Reader(io.BytesIO(archive.read(program)), {}, numbers).load()


def _read_legacy(path: Path) -> Any:
    storages: dict[str, _Storage] = {}
    with path.open("rb") as file:
        if _Reader(file, {}, {}).load() != LEGACY_MAGIC:
            raise WeightsError("this is no file of torch.save", where=path, fix="Name a checkpoint.")
        for _ in ("protocol version", "machine"):
            _Reader(file, {}, {}).load()
        found = _Reader(file, storages, {}).load()
        for key in _Reader(file, {}, {}).load():
            storage = storages[str(key)]
            count = int.from_bytes(file.read(8), "little", signed=True)
            wanted = count * storage.dtype.itemsize
            data = file.read(wanted) if 0 <= wanted <= path.stat().st_size else b""
            if len(data) != wanted:
                raise EOFError("the file ends within its numbers")
            storage.data.extend(data)
    return found


def _named(found: Any) -> Iterator[tuple[str, _LateTensor]]:
    """(name, tensor) of what was unpickled: of the part that holds most tensors, where there are several."""
    parts = [found, *(found.values() if isinstance(found, dict) else ())]
    named = max(([*_walk(part, "")] for part in parts if isinstance(part, (dict, Inert))), key=len, default=[])
    dataparallel = bool(named) and all(name.startswith("module.") for name, _ in named)
    for name, tensor in named:
        yield (name.removeprefix("module.") if dataparallel else name), tensor


def _walk(part: Any, prefix: str) -> Iterator[tuple[str, _LateTensor]]:
    """A state dict's own entries, or a module's parameters and buffers and those of the modules in it."""
    if isinstance(part, dict):
        for name, value in part.items():
            if isinstance(value, _LateTensor) and isinstance(name, str):
                yield prefix + name, value
    elif isinstance(part, Inert) and isinstance(part.state, dict):
        state = part.state
        for kind in ("_parameters", "_buffers"):
            yield from _walk(state.get(kind), prefix)
        yield from _walk({name: value for name, value in state.items() if isinstance(value, _LateTensor)}, prefix)
        children = state.get("_modules")
        for name, child in children.items() if isinstance(children, dict) else ():
            yield from _walk(child, f"{prefix}{name}.")
