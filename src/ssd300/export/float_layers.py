"""Which layers stay in float32, so that the scores of an int8 file are close enough to those of the weights.

No annotation is needed: the outputs of the float network on the calibration images are what is compared with.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ssd300.export.graph import BOXES, IMAGES, SCORES
from ssd300.export.onnx_int8 import Ranges, ranges_of
from ssd300.export.onnx_run import graph_session
from ssd300.export.raw import Raw, moved_scores
from ssd300.system.progress import Progress, Task
from ssd300.system.wording import plural

MOVED = 0.02  # share of the scores that may move; layers stay in float32 until it is reached
SEARCH_IMAGES, RANKING_IMAGES = 12, 3
SEARCH_S, SEARCH_MODELS = 180.0, 8  # a search takes this long, or as long as so many models if that is longer
RANKING = 0.5  # of this time, at most
SHARES = (0.02, 0.04, 0.08, 0.16, 0.3)  # of the layers that stay in float32, tried one after the other
MORE_SHARES = (0.5, 0.75)  # only for a caller who refused all others: these are little faster than float32
WEIGHT_LEVELS, INPUT_LEVELS = 63, 255  # 7 bits with a sign, 8 bits without


class Choice(NamedTuple):
    """A quantized model, the layers that stayed in float32, and the share of the scores that moved.

    `out_of_time` says that the search ended before it had tried all that it would have.
    """

    model: Any
    float_layers: list[str]
    moved: float
    out_of_time: bool = False


def float_layer_choices(
    proto: Any,
    batches: Sequence[np.ndarray],
    progress: Progress,
    *,
    quantized: Callable[[Sequence[str]], Any],
    outputs: Callable[[Any, Sequence[np.ndarray]], list[Raw]],
    skip: Sequence[str],
    ranges: Ranges | None = None,
) -> Iterator[Choice]:
    """Models of `quantized(float_layers)` with ever more layers in float32, for a caller who takes the first good one.

    Their scores move by MOVED at most. If those of no model do, the closest one comes. Then come a few with many layers
    in float32. `outputs` runs a model; nodes in `skip` are in float32 anyway. The first model has no layer in float32:
    if it is good, there is no search. The time of a search is limited, the caller's included: no model is made for
    which it would not be enough, by the slowest one so far.
    """
    chosen = batches[:: max(1, len(batches) // SEARCH_IMAGES)][:SEARCH_IMAGES]
    session = graph_session(proto)
    wanted = [run_graph(session, batch) for batch in chosen]

    def attempt(layers: list[str]) -> Choice:
        with progress(f"quantizing, {plural(len(layers), 'layer')} in float32" if layers else "quantizing"):
            model = quantized(layers)
            return Choice(model, layers, moved_scores(wanted, outputs(model, chosen)))

    start = time.monotonic()
    best = attempt([])
    slowest_s = time.monotonic() - start
    close = best.moved <= MOVED
    if close:
        yield best
    start = time.monotonic()
    most_s = max(SEARCH_S, SEARCH_MODELS * slowest_s)
    few = chosen[:RANKING_IMAGES]
    ranges = ranges or ranges_of(proto, chosen)
    layers = quantizable(proto, ranges, skip)
    with progress("ranking layers", len(layers), unit="layers") as task:
        costs = costs_of(proto, few, wanted[: len(few)], ranges, layers, task, end=start + most_s * RANKING)
    ranked = sorted(costs, key=lambda name: costs[name], reverse=True)
    out_of_time = len(ranked) < len(layers)

    def attempts(shares: Sequence[float]) -> Iterator[Choice]:
        nonlocal slowest_s, out_of_time
        for count in dict.fromkeys(max(1, round(share * len(layers))) for share in shares):
            before = time.monotonic()
            if before + slowest_s > start + most_s:
                out_of_time = True
                return
            tried = attempt(ranked[:count])
            slowest_s = max(slowest_s, time.monotonic() - before)
            yield tried

    for tried in attempts(SHARES):
        best = min(best, tried, key=lambda choice: choice.moved)
        if tried.moved <= MOVED:
            close = True
            yield tried
    if not close:
        yield best._replace(out_of_time=out_of_time)
    yield from attempts(MORE_SHARES)


def quantizable(proto: Any, ranges: Ranges, skip: Sequence[str]) -> list[str]:
    """Names of the convolutions that are to be quantized."""
    nodes = [node for node in proto.graph.node if node.op_type == "Conv" and node.name not in skip]
    return [node.name for node in nodes if node.input[0] in ranges.limits]


def costs_of(
    proto: Any,
    batches: Sequence[np.ndarray],
    wanted: Sequence[Raw],
    ranges: Ranges,
    layers: Sequence[str],
    task: Task,
    *,
    end: float,
) -> dict[str, float]:
    """How far the scores move if one of the layers alone is quantized; of as many as are done by the time `end`."""
    costs = {}
    for name in layers:
        if time.monotonic() > end:
            break
        session = graph_session(_with_one_quantized(proto, name, ranges))
        costs[name] = moved_scores(wanted, [run_graph(session, batch) for batch in batches])
        task.advance()
    return costs


def run_graph(session: Any, batch: np.ndarray) -> Raw:
    """The outputs for a batch of one image."""
    boxes, scores = session.run([BOXES, SCORES], {IMAGES: batch})
    return Raw(boxes[0], scores[0])


def _with_one_quantized(proto: Any, name: str, ranges: Ranges) -> Any:
    """A copy in which the weights and the input of one convolution are rounded as in 8 bits, computed in float32."""
    import onnx
    from onnx import helper, numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    place, node = next((place, node) for place, node in enumerate(copy.graph.node) if node.name == name)
    weights = next(tensor for tensor in copy.graph.initializer if tensor.name == node.input[1])
    values = numpy_helper.to_array(weights)
    scale = np.abs(values).max(axis=(1, 2, 3), keepdims=True) / WEIGHT_LEVELS
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    weights.CopyFrom(numpy_helper.from_array(np.round(values / scale) * scale, weights.name))
    low, high = (float(limit) for limit in ranges.limits[node.input[0]])
    low, high = min(low, 0.0), max(high, 0.0)
    step = max((high - low) / INPUT_LEVELS, 1e-12)
    numbers = {"step": step, "low": np.round(low / step), "high": np.round(low / step) + INPUT_LEVELS}
    own = {key: f"rounded/{key}" for key in (*numbers, "divided", "whole", "inside", "input")}
    constants = [numpy_helper.from_array(np.array(value, np.float32), own[key]) for key, value in numbers.items()]
    copy.graph.initializer.extend(constants)
    added = [
        helper.make_node("Div", [node.input[0], own["step"]], [own["divided"]]),
        helper.make_node("Round", [own["divided"]], [own["whole"]]),
        helper.make_node("Clip", [own["whole"], own["low"], own["high"]], [own["inside"]]),
        helper.make_node("Mul", [own["inside"], own["step"]], [own["input"]]),
    ]
    node.input[0] = own["input"]
    for new in reversed(added):
        copy.graph.node.insert(place, new)
    return copy
