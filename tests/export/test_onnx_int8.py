"""Layers that are to stay in float32 do, in ONNX Runtime too, whose optimizer would quantize them again."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ssd300.export.onnx_int8 import quantize_onnx, ranges_of
from ssd300.export.onnx_run import graph_session

SIDE, CHANNELS = 8, 8
IMAGES = [np.random.default_rng(seed).uniform(0, 1, (1, 3, SIDE, SIDE)).astype(np.float32) for seed in range(4)]


def _clip(place, bounds):
    return helper.make_node("Clip", [f"c{place}", *bounds], [f"x{place + 1}"], name=f"clip{place}")


@pytest.fixture(scope="module")
def network():
    """Three convolutions, each with an activation. Channels of the second one have weights of very different sizes."""
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.4, (CHANNELS, CHANNELS if place else 3, 1, 1)) for place in range(3)]
    weights[1] *= np.logspace(-3, 0, CHANNELS).reshape(-1, 1, 1, 1)
    weights[2] /= np.logspace(-3, 0, CHANNELS).reshape(1, -1, 1, 1)
    tensors = [numpy_helper.from_array(array.astype(np.float32), f"w{place}") for place, array in enumerate(weights)]
    tensors += [numpy_helper.from_array(np.zeros(CHANNELS, np.float32), f"b{place}") for place in range(3)]
    tensors += [numpy_helper.from_array(np.array(bound, np.float32), name) for name, bound in (("low", 0), ("high", 6))]
    nodes = []
    for place in range(3):
        inputs = [f"x{place}" if place else "images", f"w{place}", f"b{place}"]
        nodes += [helper.make_node("Conv", inputs, [f"c{place}"], name=f"conv{place}"), _clip(place, ("low", "high"))]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("x3", TensorProto.FLOAT, None)],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def _run(session):
    return np.concatenate([session.run(None, {"images": image})[0] for image in IMAGES])


def test_the_runtime_leaves_the_weights_of_a_float_layer_alone(network):
    keep = ["conv1"]
    model = quantize_onnx(network, ranges_of(network, IMAGES), keep=keep)
    without_optimizer = onnxruntime.SessionOptions()
    without_optimizer.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain = onnxruntime.InferenceSession(model.SerializeToString(), without_optimizer)
    step = 6 / 255
    np.testing.assert_allclose(_run(graph_session(model)), _run(plain), atol=2 * step)
    kept = next(node for node in model.graph.node if node.name == "conv1")
    assert kept.input[1] == "w1"
    assert kept.input[0] == "conv1/shielded"


def test_no_layer_is_shielded_without_need(network):
    ranges = ranges_of(network, IMAGES)
    for keep in ([], ["conv0"]):  # the input of the first one is in float32
        model = quantize_onnx(network, ranges, keep=keep)
        assert "Max" not in [node.op_type for node in model.graph.node]
