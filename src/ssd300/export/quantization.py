"""To 8-bit integers with nncf, its ranges taken from images: the convolutions, and what lies between them."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ssd300.errors import ExportError, UsageError
from ssd300.export.graph import BOXES, IMAGES, SCORES
from ssd300.runtime.sessions import import_openvino

STOP_AT = ("Conv", "Reshape", "Concat")  # where the decoding of boxes and scores begins, seen from the end


def quantize(model: Any, images: Sequence[np.ndarray], *, keep: Sequence[str], one_range_a_tensor: bool = False) -> Any:
    """The ONNX or OpenVINO model in 8 bits; nodes named in `keep` stay as they are.

    `images` are batches as the network takes them. `one_range_a_tensor` is what ONNX Runtime needs; otherwise the
    input of a depthwise convolution has a range for each channel, without which OpenVINO's loses much.

    Raises:
        UsageError: nncf is missing.
        ExportError: nncf cannot quantize the model.
    """
    import_openvino()  # first, as nncf would import it with its telemetry
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the torch that it finds
            import nncf
            from nncf.quantization.advanced_parameters import (
                AdvancedQuantizationParameters,
                OverflowFix,
                QuantizationParameters,
            )
    except ImportError as error:
        raise UsageError("int8 needs nncf", fix="pip install 'ssd300[openvino]'") from error
    log = logging.getLogger("nncf")
    level = log.level
    log.setLevel(logging.ERROR)
    dataset = nncf.Dataset(list(images), lambda batch: {IMAGES: batch})
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():  # stdout is for results
            warnings.simplefilter("ignore")
            return nncf.quantize(
                model,
                dataset,
                subset_size=len(images),
                # what has a range for each channel may also have one that does not lie around zero
                preset=nncf.QuantizationPreset.PERFORMANCE if one_range_a_tensor else nncf.QuantizationPreset.MIXED,
                ignored_scope=nncf.IgnoredScope(names=list(keep), validate=False),
                advanced_parameters=AdvancedQuantizationParameters(
                    # Processors without VNNI add two products in 16 bits, and saturate unless weights have 7 bits.
                    overflow_fix=OverflowFix.ENABLE,
                    activations_quantization_params=QuantizationParameters(per_channel=False)
                    if one_range_a_tensor
                    else None,
                ),
            )
    except Exception as error:  # of many kinds, all its own, without a common base
        raise ExportError(
            f"nncf cannot quantize the model ({error})", fix="Export it with --precision fp32."
        ) from error
    finally:
        log.setLevel(level)


def decoding_nodes(proto: Any) -> list[str]:
    """Names of the nodes of an ONNX graph between the last convolutions and the outputs."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    found, waiting = [], [BOXES, SCORES]
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or node.name in found:
            continue
        if node.op_type in STOP_AT and BOXES not in node.output:
            continue
        found.append(node.name)
        waiting += node.input
    return found


def first_convolution(proto: Any) -> list[str]:
    """Names of the one that sees the image, here and in OpenVINO: a hundredth of the work, and most of the loss."""
    name = next(node.name for node in proto.graph.node if node.op_type == "Conv")
    return [name, f"{name}/WithoutBiases"]


def length_nodes(proto: Any) -> list[str]:
    """Names of the nodes that divide features by their length: 256 steps are too few for sums of squares."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    found = [node.name for node in proto.graph.node if node.op_type in ("Pow", "ReduceSum", "Sqrt")]
    for node in proto.graph.node:
        divisor = makers.get(node.input[1]) if node.op_type == "Div" else None
        if divisor is not None and divisor.op_type == "Sqrt":
            found.append(node.name)
    return found
