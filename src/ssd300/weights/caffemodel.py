"""Blobs from a `.caffemodel`, without Caffe and without a protobuf library.

A caffemodel is a NetParameter message (caffe.proto): layers with a name and blobs, in the current format (field 100)
or the older one (field 2). The values of other fields are skipped. A field that is longer than the rest of the file is
an error.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssd300.errors import WeightsError

# Field numbers of caffe.proto.
NET_NAME, NET_LAYER, NET_V1_LAYER = 1, 100, 2
LAYER_NAME, LAYER_BLOBS = 1, 7
V1_LAYER_NAME, V1_LAYER_BLOBS = 4, 6
BLOB_NUM, BLOB_WIDTH = 1, 4  # num, channels, height, width of the older format
BLOB_DATA, BLOB_SHAPE, BLOB_DOUBLE = 5, 7, 8
SHAPE_DIM = 1

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # protobuf's wire types
Field = tuple[int, int | memoryview]


def read_caffemodel(path: Path) -> dict[str, Tensor]:
    """Float32 tensors: "<layer>.weight" is a layer's first blob, "<layer>.bias" its second; others are dropped.

    Raises:
        WeightsError: the file is incomplete or damaged, or holds no layer with blobs.
    """
    try:
        tensors = {}
        for number, value in _fields(memoryview(path.read_bytes())):
            if number in (NET_LAYER, NET_V1_LAYER):
                name, blobs = _layer(_message(value), modern=number == NET_LAYER)
                for kind, blob in zip(("weight", "bias"), blobs, strict=False):
                    tensors[f"{name}.{kind}"] = blob
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise WeightsError(
            f"this caffemodel is incomplete or damaged ({error})",
            where=path,
            fix="Copy the file again, or name another.",
        ) from error
    if not tensors:
        raise WeightsError("the caffemodel has no layer with weights", where=path, fix="Name a trained model.")
    return tensors


def read_net_name(path: Path) -> str:
    """The name that the file gives its network, such as VGG_VOC0712_SSD_300x300; "" if it has none."""
    for number, value in _fields(memoryview(path.read_bytes())):
        if number == NET_NAME:
            return bytes(_message(value)).decode("utf-8", "replace")
    return ""


def _layer(layer: memoryview, *, modern: bool) -> tuple[str, list[Tensor]]:
    name_field, blobs_field = (LAYER_NAME, LAYER_BLOBS) if modern else (V1_LAYER_NAME, V1_LAYER_BLOBS)
    name, blobs = "", []
    for number, value in _fields(layer):
        if number == name_field:
            name = bytes(_message(value)).decode("utf-8")
        elif number == blobs_field:
            blobs.append(_blob(_message(value)))
    return name, blobs


def _blob(blob: memoryview) -> Tensor:
    """The numbers in their shape. In the older format, leading sides of 1 are removed: it pads shapes to four sides."""
    shape: list[int] = []
    old: dict[int, int] = {}
    parts: list[np.ndarray] = []
    for number, value in _fields(blob):
        if number == BLOB_SHAPE:
            shape = [size for field, dims in _fields(_message(value)) if field == SHAPE_DIM for size in _varints(dims)]
        elif BLOB_NUM <= number <= BLOB_WIDTH and isinstance(value, int):
            old[number] = value
        elif number in (BLOB_DATA, BLOB_DOUBLE):
            parts.append(np.frombuffer(_message(value), "<f4" if number == BLOB_DATA else "<f8"))
    if not shape:
        shape = [old.get(number, 1) for number in range(BLOB_NUM, BLOB_WIDTH + 1)]
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
    values = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if values.size != np.prod(shape, dtype=object):
        raise ValueError(f"a blob has {values.size} numbers for a shape of {shape}")
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def _fields(message: memoryview) -> Iterator[Field]:
    """(number, value) of each field: an integer, or the bytes of a message, a string, a float or packed numbers."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == VARINT:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if kind == BYTES:
            length, position = _varint(message, position)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"a field of an unknown type at byte {position}")
        if position + length > len(message):
            raise ValueError("the file ends in the middle of a field")
        yield key >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position
        if shift > 63:
            raise ValueError(f"an integer that does not end at byte {position}")


def _varints(value: int | memoryview) -> list[int]:
    """One number, or several packed into bytes."""
    if isinstance(value, int):
        return [value]
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        numbers.append(number)
    return numbers


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message is needed")
    return value
