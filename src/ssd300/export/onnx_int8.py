"""Quantization of an ONNX graph with ONNX Runtime's own quantizer: every layer gets 8-bit inputs and an 8-bit output,
so that convolutions run as one integer operation each.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ssd300.export.graph import IMAGES
from ssd300.export.onnx_run import graph_session

ACTIVATIONS = ("Clip", "Relu")
QUANTIZED = ("Conv", *ACTIVATIONS, "Add")


class Ranges(NamedTuple):
    """The least and the greatest value of each tensor, and the mean of each channel of four-dimensional ones."""

    limits: Mapping[str, tuple[np.float32, np.float32]]
    means: Mapping[str, np.ndarray]


def ranges_of(proto: Any, batches: Sequence[np.ndarray]) -> Ranges:
    """The ranges of the inputs and outputs of the layers that can be quantized."""
    import onnx

    constants = {tensor.name for tensor in proto.graph.initializer}
    layers = [node for node in proto.graph.node if node.op_type in QUANTIZED]
    names = [name for node in layers for name in (*node.input, *node.output) if name and name not in constants]
    names = list(dict.fromkeys(names))
    tapped = onnx.ModelProto()
    tapped.CopyFrom(proto)
    present = {output.name for output in tapped.graph.output}
    tapped.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    session = graph_session(tapped)
    lowest: dict[str, list[np.ndarray]] = {name: [] for name in names}
    highest: dict[str, list[np.ndarray]] = {name: [] for name in names}
    means: dict[str, np.ndarray] = {}
    for batch in batches:
        for name, values in zip(names, session.run(names, {IMAGES: batch}), strict=True):
            lowest[name].append(values.min())
            highest[name].append(values.max())
            if values.ndim == 4:
                means[name] = means.get(name, 0) + values.mean(axis=(0, 2, 3)) / len(batches)
    limits = {name: (np.float32(min(lowest[name])), np.float32(max(highest[name]))) for name in names}
    return Ranges(limits, means)


def quantize_onnx(proto: Any, ranges: Ranges, *, keep: Collection[str]) -> Any:
    """The graph in 8 bits; nodes named in `keep` stay as they are.

    Biases are corrected: rounding the weights of a layer moves the mean of its output, by an amount that follows from
    the means of its input. Without that the scores move twice as far.
    """
    keep = [*keep, *_activations_of(proto, keep)]
    rounded = _quantized(proto, ranges, keep)
    found = _quantized(_corrected(proto, rounded, ranges.means), ranges, keep)
    _shield(found, keep)
    return found


def _shield(model: Any, keep: Collection[str]) -> None:
    """Keep ONNX Runtime from quantizing convolutions in `keep` after all, when it loads the file.

    Its optimizer `WeightBiasQuantization` rounds the weights of a convolution in float32 between inputs and an output
    of 8 bits, with one scale for all channels: a file with more layers in float32 was further from its weights. It
    looks for dequantized inputs, so a maximum with a number below all others stands between.
    """
    from onnx import helper, numpy_helper

    makers = {output: node for node in model.graph.node for output in node.output}
    lowest = "shield/lowest"
    shielded = []
    for node in list(model.graph.node):
        maker = makers.get(node.input[0]) if node.op_type == "Conv" and node.name in keep else None
        if maker is None or maker.op_type != "DequantizeLinear" or not _is_quantized_after(model, node):
            continue
        shield = helper.make_node("Max", [node.input[0], lowest], [f"{node.name}/shielded"], name=f"{node.name}/shield")
        node.input[0] = shield.output[0]
        shielded.append(shield)
    if not shielded:
        return
    model.graph.initializer.append(numpy_helper.from_array(np.array(np.finfo(np.float32).min), lowest))
    for shield in shielded:
        place = next(place for place, node in enumerate(model.graph.node) if shield.output[0] in node.input)
        model.graph.node.insert(place, shield)


def _is_quantized_after(model: Any, node: Any) -> bool:
    """Whether the output of a node, or that of its activation, is quantized."""
    users = [user for user in model.graph.node if node.output[0] in user.input]
    return any(
        user.op_type == "QuantizeLinear" or (user.op_type in ACTIVATIONS and _is_quantized_after(model, user))
        for user in users
    )


def _activations_of(proto: Any, names: Collection[str]) -> list[str]:
    """The activations that follow these nodes. In 8 bits they would round what the convolution has in float32."""
    made = {output for node in proto.graph.node if node.name in names for output in node.output}
    return [node.name for node in proto.graph.node if node.op_type in ACTIVATIONS and node.input[0] in made]


def _quantized(proto: Any, ranges: Ranges, keep: Collection[str]) -> Any:
    import onnx
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import QuantType

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    quantizer = QDQQuantizer(
        copy,
        per_channel=True,
        # Processors without VNNI add two products in 16 bits, and saturate unless weights have 7 bits.
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, dict(ranges.limits)),
        nodes_to_quantize=[],
        nodes_to_exclude=list(keep),
        op_types_to_quantize=list(QUANTIZED),
        extra_options={"MinimumRealRange": 1e-4},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()  # it appends nodes to the end
    return quantizer.model.model


def _corrected(proto: Any, rounded: Any, means: Mapping[str, np.ndarray]) -> Any:
    """A copy of the graph whose biases undo the shift that the rounded weights of `rounded` give to means."""
    import onnx
    from onnx import numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    originals = {tensor.name: tensor for tensor in copy.graph.initializer}
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in rounded.graph.initializer}
    for node in copy.graph.node:
        if node.op_type != "Conv" or len(node.input) < 3 or f"{node.input[1]}_quantized" not in stored:
            continue
        name, bias = node.input[1], node.input[2]
        weights = numpy_helper.to_array(originals[name])
        scale = stored[f"{name}_scale"].reshape(-1, 1, 1, 1)
        lost = (weights - stored[f"{name}_quantized"].astype(np.float32) * scale).sum(axis=(2, 3))
        inputs = means[node.input[0]]
        groups = len(inputs) // weights.shape[1]
        of_output = np.arange(len(weights)) // (len(weights) // groups)  # the group of each output channel
        shift = (lost * inputs.reshape(groups, -1)[of_output]).sum(axis=1)
        corrected = numpy_helper.to_array(originals[bias]) + shift.astype(np.float32)
        originals[bias].CopyFrom(numpy_helper.from_array(corrected, bias))
    return copy
