"""The search for layers that stay in float32: it ends in time, says when it had too little, and makes nothing worse."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ssd300.export import float_layers
from ssd300.export.float_layers import SEARCH_S, float_layer_choices
from ssd300.export.onnx_run import graph_session
from ssd300.system.progress import silent

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
    """The choices where the scores of the first, second, ... model are those of the weights times a factor, with the
    models that were made and the clock, when all choices are taken.
    """
    clock, made = Clock(), []
    monkeypatch.setattr(float_layers, "time", clock)

    def quantized(layers):
        clock.now += seconds_each
        made.append(list(layers))
        return len(made) - 1

    def outputs(model, batches):
        session = graph_session(network)
        found = [float_layers.run_graph(session, batch) for batch in batches]
        return [raw._replace(scores=raw.scores * np.float32(factors[model])) for raw in found]

    choices = float_layer_choices(network, IMAGES, silent, quantized=quantized, outputs=outputs, skip=["conv0"])
    return choices, made, clock


def test_a_first_model_that_is_close_needs_no_search(network, monkeypatch):
    choices, made, _ = search(network, monkeypatch, seconds_each=1, factors=[0.99])
    choice = next(choices)
    assert (choice.model, choice.float_layers, choice.out_of_time, made) == (0, [], False, [[]])


def test_whoever_refuses_a_model_gets_those_with_more_layers_in_float32_and_then_no_more(network, monkeypatch):
    choices, made, _ = search(network, monkeypatch, seconds_each=1, factors=[0.99] * 4)
    assert [choice.model for choice in choices] == [0, 1, 2, 3]
    assert [len(layers) for layers in made] == [0, 1, 2, 3]  # of the four that can be quantized; each number once
    assert made[-1][: len(made[-2])] == made[-2]


def test_a_model_that_is_not_close_is_no_choice_where_another_is(network, monkeypatch):
    choices, _, _ = search(network, monkeypatch, seconds_each=1, factors=[0.9, 0.99, 0.9, 0.9])
    assert next(choices).model == 1


def test_where_none_is_close_the_closest_comes_first_not_the_last(network, monkeypatch):
    monkeypatch.setattr(float_layers, "SHARES", (0.25, 0.5, 0.75))
    monkeypatch.setattr(float_layers, "MORE_SHARES", (1.0,))
    choices, made, _ = search(network, monkeypatch, seconds_each=1, factors=[0.9, 0.8, 0.95, 0.7, 0.85])
    choice = next(choices)
    assert choice.model == 2
    assert choice.moved == pytest.approx(0.05, abs=1e-4)
    assert not choice.out_of_time
    assert len(made) == 4
    assert "conv0" not in made[-1]
    assert [choice.model for choice in choices] == [4]  # for whoever refuses it, with nearly all layers in float32


def test_a_search_without_enough_time_ends_with_the_best_so_far_and_says_so(network, monkeypatch):
    """A model takes 100 s: after the first, one more fits into the time."""
    monkeypatch.setattr(float_layers, "SEARCH_MODELS", 1)
    monkeypatch.setattr(float_layers, "SHARES", (0.25, 0.5))
    choices, made, clock = search(network, monkeypatch, seconds_each=100, factors=[0.9, 0.95])
    (choice,) = choices
    assert (choice.model, choice.out_of_time, len(made)) == (1, True, 2)
    assert clock.now <= 100 + SEARCH_S


def test_a_network_that_takes_long_to_quantize_has_more_time(network, monkeypatch):
    choices, made, clock = search(network, monkeypatch, seconds_each=1000, factors=[0.9] * 4)
    assert len(list(choices)) == 3  # the closest of two, and two more
    assert (len(made), clock.now) == (4, 4000)


def test_the_time_of_whoever_takes_the_choices_is_part_of_a_search(network, monkeypatch):
    choices, made, clock = search(network, monkeypatch, seconds_each=1, factors=[0.99] * 3)
    next(choices)
    next(choices)
    clock.now += SEARCH_S
    assert list(choices) == []
    assert len(made) == 2


def test_ranking_ends_in_time_too(network, monkeypatch):
    real = float_layers.graph_session

    def slow(*arguments):
        float_layers.time.now += 50
        return real(*arguments)

    choices, made, _ = search(network, monkeypatch, seconds_each=1, factors=[0.9, 0.99])
    monkeypatch.setattr(float_layers, "graph_session", slow)
    choice = next(choices)
    assert (choice.model, len(made)) == (1, 2)
    assert not choice.out_of_time  # as its goal is reached
