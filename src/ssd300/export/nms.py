"""Confidence thresholds, non-maximum suppression and the best detections per image, as nodes of an ONNX graph."""

from typing import Any

import numpy as np

from ssd300.export.graph import BOXES, SCORES
from ssd300.types import Selection

LABELS = "labels"
MIN_SCORE, MAX_OVERLAP = "min_score", "max_overlap"
PUBLIC = {MIN_SCORE, MAX_OVERLAP, BOXES, SCORES, LABELS}


def with_nms(proto: Any, *, num_classes: int, selection: Selection) -> Any:
    """A copy of the graph that ends in detections: boxes, scores and labels, `top_k` rows per image, best first.

    The confidence threshold of each class and the NMS IoU are the constants `min_score` and `max_overlap`, with the
    values of `selection`. They are no inputs: of an input with a default value ONNX Runtime warns at each load. An
    unused row has score 0. A batch without images gives no rows.
    """
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(proto)
    graph = model.graph
    _rename_raw_outputs(graph)
    _add_nodes(graph, per_class=selection.per_class is not None)
    _add_constants(graph, num_classes, selection)
    _set_outputs(graph, selection.top_k)
    onnx.checker.check_model(model)
    return model


def _own(name: str) -> str:
    """The name in the graph. Names that are not public get a prefix that no name of the network has."""
    return name if name in PUBLIC else f"select/{name}"


def _rename_raw_outputs(graph: Any) -> None:
    """Boxes and scores of all default boxes give their names up to those of the detections."""
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name in (BOXES, SCORES):
                    names[place] = _own(f"raw_{name}")


def _add_constants(graph: Any, num_classes: int, selection: Selection) -> None:
    """Those that a node reads: ONNX Runtime warns of others."""
    from onnx import numpy_helper

    thresholds = np.broadcast_to(np.asarray(selection.min_score, np.float32), (num_classes,)).copy()
    constants: dict[str, np.ndarray] = {
        MIN_SCORE: thresholds,
        MAX_OVERLAP: np.array([selection.max_overlap], np.float32),
        "zero": np.array([0.0], np.float32),
        "per_class": np.array([selection.per_class or np.iinfo(np.int32).max], np.int64),
        "top_k": np.array([selection.top_k], np.int64),
        "axis_0": np.array([0], np.int64),
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
        "last": np.array([-1], np.int64),
        "no_padding": np.zeros(3, np.int64),
        "no_padding_at_the_end": np.zeros(2, np.int64),
    }
    read = {name for node in graph.node for name in node.input}
    graph.initializer.extend(
        numpy_helper.from_array(value, _own(name)) for name, value in constants.items() if _own(name) in read
    )


def _add_nodes(graph: Any, *, per_class: bool) -> None:
    """Scores that do not survive become 0; the best scores of all classes are then the rows of an image."""
    from onnx import TensorProto, helper

    def add(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        inputs, outputs = [_own(name) for name in inputs], [_own(name) for name in outputs]
        graph.node.append(helper.make_node(op, inputs, outputs, name=f"select/make_{outputs[0]}", **attributes))

    # An empty batch gets an image without detections, which is cut off at the end: TopK of ONNX Runtime up to 1.23
    # ends the process if there is nothing to look at.
    add("Shape", ["raw_scores"], ["raw_shape"])
    add("Gather", ["raw_shape", "axis_0"], ["batch"])
    add("Equal", ["batch", "axis_0"], ["is_empty"])
    add("Cast", ["is_empty"], ["added"], to=TensorProto.INT64)
    add("Concat", ["no_padding", "added", "no_padding_at_the_end"], ["padding"], axis=0)
    add("Pad", ["raw_scores", "padding"], ["all_scores"])
    add("Pad", ["raw_boxes", "padding"], ["all_boxes"])

    add("Greater", ["all_scores", MIN_SCORE], ["above"])
    add("Where", ["above", "all_scores", "zero"], ["thresholded"])
    add("Transpose", ["thresholded"], ["by_class"], perm=[0, 2, 1])  # batch, classes, boxes
    add("Gather", ["raw_shape", "axis_1"], ["num_boxes"])
    scores = "by_class"
    if per_class:  # Caffe's NMS takes so many candidates of a class
        add("Min", ["num_boxes", "per_class"], ["looked_at"])
        add("TopK", ["by_class", "looked_at"], ["best_of_class", "unused_places"], axis=2)
        add("Gather", ["best_of_class", "last"], ["least_of_class"], axis=2)
        add("GreaterOrEqual", ["by_class", "least_of_class"], ["among_best"])
        add("Where", ["among_best", "by_class", "zero"], ["candidates"])
        scores = "candidates"
    add("NonMaxSuppression", ["all_boxes", scores, "per_class", MAX_OVERLAP, "zero"], ["selected"])
    add("GatherND", [scores, "selected"], ["kept_scores"])
    add("Mul", [scores, "zero"], ["nothing"])
    add("ScatterND", ["nothing", "selected", "kept_scores"], ["survivors"])  # batch, classes, boxes
    add("Flatten", ["survivors"], ["flat_survivors"], axis=1)
    add("TopK", ["flat_survivors", "top_k"], ["best_scores", "places"], axis=1)
    add("Div", ["places", "num_boxes"], ["best_labels"])
    add("Mod", ["places", "num_boxes"], ["box_numbers"])
    add("Unsqueeze", ["box_numbers", "axis_2"], ["box_column"])
    add("GatherND", ["all_boxes", "box_column"], ["best_boxes"], batch_dims=1)
    for name in (BOXES, SCORES, LABELS):
        add("Slice", [f"best_{name}", "axis_0", "batch", "axis_0"], [name])


def _set_outputs(graph: Any, top_k: int) -> None:
    from onnx import TensorProto, helper

    del graph.output[:]
    rows: list[Any] = ["batch", top_k]
    graph.output.extend(
        [
            helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, [*rows, 4]),
            helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, rows),
            helper.make_tensor_value_info(LABELS, TensorProto.INT64, rows),
        ]
    )
