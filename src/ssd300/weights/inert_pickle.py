"""An unpickler that runs nothing.

A pickle is a program that may call any function by name. Here most names become an inert object that stores what it is
given and does nothing. The exceptions are plain containers, torch's dtypes, and the functions that build a tensor,
which are ours. `pickle_names` lists the names that make a file refused.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ssd300.weights.pickle_names import is_refused, would_run

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


class Inert:
    """A stand-in for an object of any class: stores arguments, state and items, and runs nothing."""

    arguments: tuple[object, ...]
    state: Any
    items: dict[Any, Any]

    def __new__(cls, *arguments: object, **_named: object) -> "Inert":  # some opcodes call no __init__
        made = super().__new__(cls)
        made.arguments, made.state, made.items = arguments, None, {}
        return made

    def __init__(self, *_arguments: object, **_named: object) -> None: ...

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
    """An OrderedDict of the file. The metadata that a state dict carries beside its entries is dropped."""

    def __setstate__(self, _state: object) -> None: ...


@dataclass(frozen=True)
class Storage:
    """A flat array of numbers that tensors are views of. In torch's older format `data` is filled after the pickle."""

    dtype: torch.dtype
    data: bytearray


@dataclass(frozen=True)
class LateTensor:
    """A view of a storage whose numbers may come later in the file. `offset` and `stride` count numbers, not bytes."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.size

    def load(self) -> Tensor:
        """The tensor, as a copy. Raises RuntimeError or ValueError where the storage is too short for it."""
        data, dtype = self.storage.data, self.storage.dtype
        whole = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return whole.as_strided(self.size, self.stride, self.offset).clone()


class RefusedPickleError(Exception):
    """The file names something of Python's own library that is refused; the message is that name.

    `would_run`: it is known to run code or to touch files; else it is only unknown here, and may well be harmless.
    """

    def __init__(self, name: str, *, would_run: bool) -> None:
        super().__init__(name)
        self.would_run = would_run


class InertUnpickler(pickle._Unpickler):  # Python's own: the one in C allocates as much as the file demands
    """Unpickles into plain containers, inert objects and late tensors.

    `numbers` are the bytes of storages by key, where they are known already. `load` adds every storage that the pickle
    names to `storages`. It raises RefusedPickleError, and for a damaged pickle whatever its opcodes lead to.
    """

    def __init__(self, file: io.BufferedIOBase, storages: dict[str, Storage], numbers: Mapping[str, bytes]) -> None:
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
        if module in ("torch._utils", "torch._tensor") and name in _REBUILD:
            return _REBUILD[name]
        if is_refused(module, name):
            raise RefusedPickleError(f"{module}.{name}", would_run=would_run(module, name))
        return type(name, (Inert,), {})

    def persistent_load(self, identity: Any) -> Any:
        if isinstance(identity, tuple) and identity and identity[0] == "module":
            return identity[1]  # torch's older format stores a class together with its source code
        kind, dtype, key = identity[:3]
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("a reference to something that is not a storage of numbers")
        key = str(key)
        if key not in self.storages:
            self.storages[key] = Storage(dtype, bytearray(self.numbers.get(key, b"")))
        return self.storages[key]

    def load_bytearray8(self) -> None:
        raise pickle.UnpicklingError("a byte array, which no checkpoint has")

    def load_state(self) -> None:
        stack: list[Any] = self.stack  # type: ignore[attr-defined]  # typeshed does not list it
        if not isinstance(stack[-2], Inert | _Dict):  # else it would set attributes of our own functions
            raise pickle.UnpicklingError("a state for something that has none")
        super().load_build()  # type: ignore[misc]  # typeshed does not list it

    dispatch: ClassVar[dict[int, Any]] = pickle._Unpickler.dispatch | {
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.BUILD[0]: load_state,
    }


def _rebuild_tensor(storage: Storage, offset: int, size: Any, stride: Any, *_rest: object) -> LateTensor:
    return LateTensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _rebuild_subclass(rebuild: Any, _kind: object, arguments: Any, _state: object = None) -> Any:
    """A tensor with attributes, or of a class of its own: the plain tensor in it."""
    return rebuild(*arguments) if rebuild in _REBUILD.values() else None


def _rebuild_parameter(data: Any, *_rest: object) -> Any:
    return data


_REBUILD = {
    "_rebuild_tensor": _rebuild_tensor,
    "_rebuild_tensor_v2": _rebuild_tensor,
    "_rebuild_from_type": _rebuild_subclass,
    "_rebuild_from_type_v2": _rebuild_subclass,
    "_rebuild_parameter": _rebuild_parameter,
    "_rebuild_parameter_with_state": _rebuild_parameter,
}
