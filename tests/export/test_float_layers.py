"""The search for layers that stay in float32: it ends in time, says when it had too little, and makes nothing worse."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ssd300.export import float_layers
from ssd300.export.float_layers import SEARCH_S, choose_float_layers
from ssd300.export.onnx_run import graph_session
from ssd300.system.progress import Task

LAYERS = [f"conv{number}" for number in range(5)]
IMAGES = [np.random.default_rng(seed).uniform(0, 1, (1, 3, 8, 8)).astype(np.float32) for seed in range(3)]


@pytest.fixture(scope="module")
def network():
    """Convolutions one after the other; each value of the last one is a score, or a side of a box."""
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.3, (4, 3 if not place else 4, 1, 1)) for place in range(len(LAYERS))]
    tensors = [numpy_helper.from_array(array.astype(np.float32), f"w{place}") for place, array in enumerate(weights)]
    nodes = [
        helper.make_node("Conv", [f"x{place}" if place else "images", f"w{place}"], [f"x{place + 1}"], name=name)
        for place, name in enumerate(LAYERS)
    ]
    nodes.append(helper.make_node("Reshape", [f"x{len(LAYERS)}", "shape"], ["boxes"]))
    nodes.append(helper.make_node("Sigmoid", ["boxes"], ["scores"]))
    tensors.append(numpy_helper.from_array(np.array([1, -1, 4]), "shape"))
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("boxes", "scores")]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def search(network, monkeypatch, *, seconds_each, factors):
    """A search in which the scores of the first, second, ... model are those of the weights times a factor."""
    clock, made, tried = Clock(), [], []
    monkeypatch.setattr(float_layers, "time", clock)

    def quantized(layers):
        clock.now += seconds_each
        made.append(list(layers))
        return len(made) - 1

    def outputs(model, batches):
        tried.append(model)
        session = graph_session(network)
        found = [float_layers.run_graph(session, batch) for batch in batches]
        return [raw._replace(scores=raw.scores * np.float32(factors[model])) for raw in found]

    task = Task("quantizing", None, "trials", 0)
    choice = choose_float_layers(network, IMAGES, task, quantized=quantized, outputs=outputs, skip=["conv0"])
    return choice, made, clock.now, task


def test_a_first_model_that_is_close_ends_the_search(network, monkeypatch):
    choice, made, _, _ = search(network, monkeypatch, seconds_each=1, factors=[0.99])
    assert (choice.model, choice.float_layers, choice.out_of_time, made) == (0, [], False, [[]])


def test_the_closest_model_is_taken_not_the_last(network, monkeypatch):
    choice, made, _, task = search(network, monkeypatch, seconds_each=1, factors=[0.9, 0.8, 0.95, 0.7, 0.85])
    assert choice.model == 2
    assert choice.moved == pytest.approx(0.05, abs=1e-4)
    assert not choice.out_of_time
    assert len(made) == 5
    assert "conv0" not in made[-1]
    assert task.done == task.total == 4 + 4


def test_a_search_without_enough_time_ends_with_the_best_so_far_and_says_so(network, monkeypatch):
    """A model takes 100 s: after the first, one more fits into the time."""
    choice, made, took_s, _ = search(network, monkeypatch, seconds_each=100, factors=[0.9, 0.95])
    assert (choice.model, choice.out_of_time, len(made)) == (1, True, 2)
    assert took_s <= 100 + SEARCH_S


def test_ranking_ends_in_time_too(network, monkeypatch):
    real = float_layers.graph_session

    def slow(*arguments):
        float_layers.time.now += 50
        return real(*arguments)

    monkeypatch.setattr(float_layers, "graph_session", slow)
    choice, made, _, _ = search(network, monkeypatch, seconds_each=1, factors=[0.9, 0.99])
    assert (choice.model, len(made)) == (1, 2)
    assert not choice.out_of_time  # as its goal is reached
