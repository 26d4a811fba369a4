"""The two engines behind one call: arrays by name in, arrays by name out. An engine is imported when it is used."""

import functools
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ssd300.errors import UsageError, WeightsError, install_hint
from ssd300.runtime.manifest import KEY, parse_manifest
from ssd300.runtime.onnx_bytes import with_threshold_inputs

OPENVINO_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}  # int8 is in the file; this is for other layers
BIN_CHECKSUM = "bin_crc32"  # in the metadata of an .xml: that of its .bin file
Arrays = Mapping[str, np.ndarray]


class OnnxSession:
    """A file for ONNX Runtime, on the CPU; threads may call it at the same time. `threads` None takes all cores."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UsageError("an .onnx file needs onnxruntime", where=path, fix=install_hint("onnx")) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors; it warns of inputs with default values, which are wanted here
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            model = with_threshold_inputs(path)
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            self._session._model_bytes = None  # it keeps them to change the provider, which is not done here
        except Exception as error:  # its own exceptions share no base but this
            raise WeightsError(
                f"ONNX Runtime cannot load the file ({_first_line(error)})", where=path, fix="Export it again."
            ) from error
        self.manifest = parse_manifest(self._session.get_modelmeta().custom_metadata_map.get(KEY), path)
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, inputs: Arrays) -> Arrays:
        return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))


class OpenVinoSession:
    """A file for OpenVINO, on the CPU; threads may call it at the same time. `threads` None takes all cores."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        core = openvino_core()
        try:
            model = core.read_model(path)
        except Exception as error:  # RuntimeError and its own
            raise WeightsError(
                f"OpenVINO cannot load the file ({_first_line(error)})",
                where=path,
                fix="Put its .bin file beside it, or export it again.",
            ) from error
        text = model.get_rt_info(KEY).astype(str) if model.has_rt_info(KEY) else None
        self.manifest = parse_manifest(text, path)
        _check_bin(model, path)
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": OPENVINO_PRECISIONS[self.manifest.precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._model = core.compile_model(model, "CPU", settings)
        self._names = [output.get_any_name() for output in self._model.outputs]

    def run(self, inputs: Arrays) -> Arrays:
        found = self._model.create_infer_request().infer(dict(inputs))  # one per call, as threads cannot share one
        return dict(zip(self._names, (found[place] for place in range(len(self._names))), strict=True))


Session = OnnxSession | OpenVinoSession


def import_openvino() -> Any:
    """The module `openvino`, without its telemetry, which would report the import to Intel.

    Raises UsageError where it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if it were not installed
    try:
        import openvino
    except ImportError as error:
        raise UsageError("OpenVINO is not installed", fix=install_hint("openvino")) from error
    return openvino


@functools.cache
def openvino_core() -> Any:
    """The `openvino.Core` of this process. Raises UsageError where OpenVINO is not installed.

    It is never released: when OpenVINO unloads its CPU plugin, it unmaps the stack that it had set for signal handlers,
    and the next Ctrl-C would write to memory that is unmapped or in other use.
    """
    return import_openvino().Core()


def open_session(path: Path, *, threads: int | None = None) -> Session:
    """The session for a file by its ending. Raises WeightsError, and UsageError if the engine is not installed."""
    if not path.is_file():
        raise WeightsError("there is no such file", where=path, fix="Check the path.")
    return (OnnxSession if path.suffix.lower() == ".onnx" else OpenVinoSession)(path, threads=threads)


def checksum_of(file: Path) -> str:
    checksum = 0
    with file.open("rb") as content:
        while part := content.read(1 << 20):
            checksum = zlib.crc32(part, checksum)
    return f"{checksum:08x}"


def _check_bin(model: Any, path: Path) -> None:
    """Raises WeightsError if the .bin file beside `path` is not the one that it was written with. Files of versions
    before the checksum are not checked.
    """
    beside = path.with_suffix(".bin")
    if model.has_rt_info(BIN_CHECKSUM) and checksum_of(beside) != model.get_rt_info(BIN_CHECKSUM).astype(str):
        raise WeightsError(
            f"{beside.name} beside it is damaged, or belongs to another export",
            where=path,
            fix="Copy both files of one export, or export it again.",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
