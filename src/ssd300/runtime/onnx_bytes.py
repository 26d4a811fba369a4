"""What is read from the bytes of an ONNX file, and added to them, without the library onnx, which no run needs.

The bytes are protocol buffers: a list of fields, each with a number and a kind; two messages one after the other are
their merge. The numbers are those of onnx.proto.
"""

import json
from collections.abc import Iterator, Mapping
from io import BufferedReader, BytesIO
from pathlib import Path

from ssd300.runtime.manifest import KEY, THRESHOLDS_INSIDE

_NUMBER, _BYTES = 0, 2  # kinds of fields; an ONNX file has no other at its outermost level
_GRAPH, _METADATA = 7, 14  # fields of a ModelProto
_GRAPH_INPUT = 11
_FLOAT = 1  # the type


def onnx_metadata(file: BufferedReader | BytesIO) -> dict[str, str]:
    """The metadata of an ONNX file; the graph, nearly all of the file, is not read. Empty if it is no ONNX file."""
    entries = {}
    for number, content in _fields(file, wanted=_METADATA):
        if number == _METADATA:
            entry = {key: text.decode(errors="replace") for key, text in _fields(BytesIO(content))}
            entries[entry.get(1, "")] = entry.get(2, "")
    return entries


def with_threshold_inputs(path: Path) -> str | bytes:
    """What ONNX Runtime is to load: the path, or the file's bytes with its thresholds as inputs.

    Files with non-maximum suppression have the thresholds as constants. Our own callers choose them at each call, so
    they are declared as inputs too, whose values then are those of the constants where none are given.
    """
    with path.open("rb") as file:
        text = onnx_metadata(file).get(KEY, "{}")
        try:
            manifest = json.loads(text)
            inside = manifest["suppresses"] and manifest["format_version"] >= THRESHOLDS_INSIDE
            lengths = {"min_score": len(manifest["classes"]), "max_overlap": 1} if inside else {}
        except (KeyError, TypeError, ValueError):  # a file of others, or a fault that `parse_manifest` describes
            lengths = {}
        if not lengths:
            return str(path)
        file.seek(0)
        return file.read() + float_inputs(lengths)


def float_inputs(lengths: Mapping[str, int]) -> bytes:
    """The bytes of a model that has only inputs, float vectors of these lengths."""
    graph = b""
    for name, length in lengths.items():
        shape = _field(1, _field(1, length))
        vector = _field(1, _field(1, _FLOAT) + _field(2, shape))
        graph += _field(_GRAPH_INPUT, _field(1, name.encode()) + _field(2, vector))
    return _field(_GRAPH, graph)


def _fields(file: BufferedReader | BytesIO, *, wanted: int | None = None) -> Iterator[tuple[int, bytes]]:
    """The number of each field of bytes, with its content; it is read for the `wanted` fields alone, if one is named.

    It ends at what is no such field.
    """
    while (tag := _read_number(file)) is not None:
        number, kind = tag >> 3, tag & 7
        length = _read_number(file)  # or the value of a number
        if kind not in (_NUMBER, _BYTES) or length is None:
            return
        if kind == _BYTES and wanted in (None, number):
            yield number, file.read(length)
        elif kind == _BYTES:
            file.seek(length, 1)


def _read_number(file: BufferedReader | BytesIO) -> int | None:
    """A number, seven bits in a byte, the lowest first; None at the end of the file."""
    value, shift = 0, 0
    while byte := file.read(1):
        value |= (byte[0] & 127) << shift
        shift += 7
        if byte[0] < 128:
            return value
        if shift > 63:
            return None
    return None


def _field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return _number(number << 3 | _NUMBER) + _number(content)
    return _number(number << 3 | _BYTES) + _number(len(content)) + content


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
