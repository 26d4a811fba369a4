"""A file is built: from the graph in float32 or in 8 bits, with its metadata, for ONNX Runtime or OpenVINO."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ssd300.export.description import describe_onnx, describe_openvino
from ssd300.export.float_layers import MOVED, SEARCH_S, float_layer_choices, run_graph
from ssd300.export.kept_nodes import decoding_nodes, first_convolution, heads, length_nodes
from ssd300.export.nms import with_nms
from ssd300.export.onnx_int8 import quantize_onnx, ranges_of
from ssd300.export.onnx_run import graph_session
from ssd300.export.openvino_int8 import names_in_openvino, quantize
from ssd300.export.place import naming
from ssd300.export.raw import Raw
from ssd300.runtime.manifest import Manifest
from ssd300.runtime.sessions import BIN_CHECKSUM, checksum_of, import_openvino, openvino_core
from ssd300.system.progress import Progress
from ssd300.types import Selection

Format = Literal["onnx", "openvino"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}


class Int8(NamedTuple):
    """A quantized model, the layers in it that are in float32, and the share of the scores that moved.

    `out_of_time` says that the search for these layers ended before it had tried all that it would have.
    """

    model: Any
    float32_layers: tuple[str, ...]
    moved: float
    out_of_time: bool

    def notes(self) -> list[str]:
        """What the user should know about the search."""
        if self.moved <= MOVED:
            return []
        why = f"the search ended after {SEARCH_S:g} s" if self.out_of_time else "no choice of float32 layers is closer"
        return [f"int8 moves the scores by {self.moved:.1%}, and {MOVED:.0%} was to be reached: {why}"]


def write_raw(model: Any, file: Path, manifest: Manifest, selection: Selection) -> None:
    """Write an ONNX graph or an OpenVINO model with boxes and scores of all default boxes as outputs.

    Raises RunError if it cannot be written.
    """
    manifest = replace(manifest, suppresses=False, top_k=None, format_version=1)
    if file.suffix == SUFFIXES["onnx"]:
        _save_onnx(model, file, manifest, selection)
        return
    if hasattr(model, "SerializeToString"):
        model = openvino_core().read_model(model.SerializeToString())
    describe_openvino(model, manifest, selection)
    weights = file.with_suffix(".bin")
    with naming(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        import_openvino().save_model(model, file, compress_to_fp16=False)
        model.set_rt_info(checksum_of(weights), BIN_CHECKSUM)  # known only now, so the .xml is written again
        import_openvino().save_model(model, file, compress_to_fp16=False)


def write_with_nms(proto: Any, file: Path, manifest: Manifest, selection: Selection) -> None:
    """Write an ONNX graph that ends in detections."""
    _save_onnx(with_nms(proto, num_classes=len(manifest.classes), selection=selection), file, manifest, selection)


def in_8_bits(proto: Any, format: Format, batches: Sequence[np.ndarray], progress: Progress) -> Iterator[Int8]:
    """The graph in 8 bits, with ever more layers in float32. `batches` hold one image each, as the network takes it."""
    always = first_convolution(proto) + (heads(proto) if format == "onnx" else [])
    keep = decoding_nodes(proto) + length_nodes(proto) + always
    if format == "onnx":
        ranges = ranges_of(proto, batches)
        choices = float_layer_choices(
            proto,
            batches,
            progress,
            quantized=lambda layers: quantize_onnx(proto, ranges, keep=[*keep, *layers]),
            outputs=lambda model, few: [
                run_graph(session, batch) for session in [graph_session(model)] for batch in few
            ],
            skip=keep,
            ranges=ranges,
        )
    else:
        core = openvino_core()
        choices = float_layer_choices(
            proto,
            batches,
            progress,
            quantized=lambda layers: quantize(
                core.read_model(proto.SerializeToString()),
                batches,
                keep=names_in_openvino([*keep, *layers]),
            ),
            outputs=_run_openvino,
            skip=keep,
        )
    for choice in choices:
        layers = _layer_names(proto, [*always, *choice.float_layers])
        yield Int8(choice.model, layers, choice.moved, choice.out_of_time)


def _run_openvino(model: Any, batches: Sequence[np.ndarray]) -> list[Raw]:
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino_core().compile_model(model, "CPU", settings).create_infer_request()
    found = []
    for batch in batches:
        outputs = request.infer([batch])
        found.append(Raw(outputs[0][0].copy(), outputs[1][0].copy()))
    return found


def _layer_names(proto: Any, nodes: Sequence[str]) -> tuple[str, ...]:
    """The layers in the weights that nodes compute, such as backbone.body.conv_stem."""
    weights = {node.name: node.input[1] for node in proto.graph.node if node.op_type == "Conv"}
    return tuple(weights[name].removeprefix("model.").removesuffix(".weight") for name in nodes)


def _save_onnx(proto: Any, file: Path, manifest: Manifest, selection: Selection) -> None:
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    describe_onnx(copy, manifest, selection)
    with naming(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(copy, file)
