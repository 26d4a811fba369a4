"""Opsets of ONNX: which ones an export can have, and the oldest ONNX Runtime that reads each."""

from typing import Any

from ssd300.errors import UsageError
from ssd300.runtime.manifest import Precision

OPSET = 18  # what torch's exporter writes; the others are conversions of it

# By ONNX Runtime's table of versions, and from 1.15 on by trying: 1.15 has no Cast of opset 19.
OLDEST_RUNTIME = {15: "1.10", 16: "1.11", 17: "1.12", 18: "1.14", 19: "1.16", 20: "1.17", 21: "1.18"}
_BEFORE_INT8_CHANGED = 20  # onnx's converter gives nncf's QuantizeLinear a wrong type in 21


def opsets(precision: Precision) -> range:
    """Those of an ONNX file. Below the first, onnx's converter has no form of some operators."""
    return range(min(OLDEST_RUNTIME), (_BEFORE_INT8_CHANGED if precision == "int8" else max(OLDEST_RUNTIME)) + 1)


def check_opset(opset: int | None, format: str, precision: Precision) -> None:
    """Raises UsageError for an opset that files of this format and precision cannot have; None is the usual one."""
    if opset is None:
        return
    if format != "onnx":
        raise UsageError("--opset is for ONNX files", fix="Leave it out, or use --format onnx.")
    possible = opsets(precision)
    if opset not in possible:
        nearest = min(max(opset, possible[0]), possible[-1])
        raise UsageError(
            f"opset {opset}: {precision} files can have {possible[0]} to {possible[-1]}",
            fix=f"Take --opset {nearest}, for ONNX Runtime {OLDEST_RUNTIME[nearest]} or later.",
        )


def at_opset(proto: Any, opset: int) -> Any:
    """The graph in this opset, with the IR version that goes with it, so that no newer runtime is needed."""
    from onnx import helper, version_converter

    if opset != OPSET:
        proto = version_converter.convert_version(proto, opset)
    proto.ir_version = helper.find_min_ir_version_for(proto.opset_import)
    return proto
