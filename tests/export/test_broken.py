"""Graphs that are broken in the ways in which exports break are refused, on images without any object too.

The export checks a graph so before it is quantized, and a file in float32 before it is written.
"""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError
from ssd300.export import exporting
from ssd300.export.building import write_raw
from ssd300.export.reference import check_graph
from ssd300.runtime import ExportedNetwork
from ssd300.types import Selection
from ssd300.weights import load_weights

pytestmark = pytest.mark.slow
DARK = [np.full((240, 320, 3), (8, 8, 8 + blue), np.uint8) for blue in range(2)]


@pytest.fixture(scope="module")
def original(light_run_of_session):
    return TorchNetwork(*load_weights(light_run_of_session))


@pytest.fixture(scope="module")
def graph(exported):
    return onnx.load(exported["raw"])


def _changed(graph, change, *parts):
    """Apply `change` to the constants whose names contain one of `parts`."""
    found = [tensor for tensor in graph.graph.initializer if any(part in tensor.name for part in parts)]
    assert found
    for tensor in found:
        tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))


def _no_weights(graph):
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim == 4 and values.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(values * 0, tensor.name))


def _classes_swapped(graph):
    last = next(node for node in graph.graph.node if "scores" in node.output)
    last.output[0] = "in_order"
    graph.graph.initializer.append(numpy_helper.from_array(np.array([1, 0]), "order"))
    graph.graph.node.append(helper.make_node("Gather", ["in_order", "order"], ["scores"], axis=2))


def _bgr(graph):
    for node in graph.graph.node:
        node.input[:] = ["turned" if name == "images" else name for name in node.input]
    graph.graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "order"))
    graph.graph.node.insert(0, helper.make_node("Gather", ["images", "order"], ["turned"], axis=3))


BROKEN = {
    "all convolutions are zero": _no_weights,
    "classes are swapped": _classes_swapped,
    "blue and red are swapped": _bgr,
    "no mean is subtracted": lambda graph: _changed(graph, np.zeros_like, "model.mean"),
    "another mean": lambda graph: _changed(graph, lambda mean: mean * np.float32(0.95), "model.mean"),
    "no division by the deviation": lambda graph: _changed(graph, np.ones_like, "model.std"),
    "pixels in 0..255": lambda graph: _changed(graph, lambda mean: mean * 255, "model.mean", "model.std"),
    "no scores of one feature map": lambda graph: _changed(graph, np.zeros_like, "heads.logits.5"),
    "no boxes of one feature map": lambda graph: _changed(graph, np.zeros_like, "heads.offsets.0"),
    "other default boxes": lambda graph: _changed(graph, lambda boxes: boxes[::-1].copy(), "model.default_boxes"),
}


@pytest.mark.parametrize("name", [None, *BROKEN])
def test_a_broken_graph_is_refused_on_dark_images(name, original, graph, tmp_path):
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    if name is not None:
        BROKEN[name](copy)
    file = tmp_path / "m.onnx"
    manifest = exporting._manifest(original.card, "fp32", top_k=None)
    write_raw(copy, file, manifest, Selection())
    network = ExportedNetwork(file)
    if name is None:
        check_graph(original, network, DARK, "m.onnx")
        return
    with pytest.raises(ExportError, match="does not detect what the weights detect"):
        check_graph(original, network, DARK, "m.onnx")
