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

    Two inputs are added: `min_score`, one per class, and `max_overlap`, the NMS IoU. Where they are not given they have
    the values of `selection`. An unused row has score 0.
    """
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(proto)
    graph = model.graph
    _rename_raw_outputs(graph)
    _add_values(graph, num_classes, selection)
    _add_nodes(graph, per_class=selection.per_class is not None)
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
                    names[place] = _own(f"all_{name}")


def _add_values(graph: Any, num_classes: int, selection: Selection) -> None:
    """The constants, and the two inputs: an input that has an initializer is optional."""
    from onnx import TensorProto, helper, numpy_helper

    thresholds = np.broadcast_to(np.asarray(selection.min_score, np.float32), (num_classes,)).copy()
    constants: dict[str, np.ndarray] = {
        MIN_SCORE: thresholds,
        MAX_OVERLAP: np.array([selection.max_overlap], np.float32),
        "zero": np.array([0.0], np.float32),
        "per_class": np.array([selection.per_class or np.iinfo(np.int32).max], np.int64),
        "top_k": np.array([selection.top_k], np.int64),
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
        "last": np.array([-1], np.int64),
        "flat": np.array([0, -1], np.int64),
        "boxes_axis": np.array([2], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(value, _own(name)) for name, value in constants.items())
    graph.input.extend(
        [
            helper.make_tensor_value_info(MIN_SCORE, TensorProto.FLOAT, [num_classes]),
            helper.make_tensor_value_info(MAX_OVERLAP, TensorProto.FLOAT, [1]),
        ]
    )


def _add_nodes(graph: Any, *, per_class: bool) -> None:
    """Scores that do not survive become 0; the best scores of all classes are then the rows of an image."""
    from onnx import helper

    def add(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        inputs, outputs = [_own(name) for name in inputs], [_own(name) for name in outputs]
        graph.node.append(helper.make_node(op, inputs, outputs, name=f"select/make_{outputs[0]}", **attributes))

    add("Greater", ["all_scores", MIN_SCORE], ["above"])
    add("Where", ["above", "all_scores", "zero"], ["thresholded"])
    add("Transpose", ["thresholded"], ["by_class"], perm=[0, 2, 1])  # batch, classes, boxes
    scores = "by_class"
    if per_class:  # Caffe's NMS takes so many candidates of a class
        add("Shape", ["by_class"], ["shape"])
        add("Gather", ["shape", "boxes_axis"], ["count"])
        add("Min", ["count", "per_class"], ["looked_at"])
        add("TopK", ["by_class", "looked_at"], ["best_of_class", "unused_places"], axis=2)
        add("Gather", ["best_of_class", "last"], ["least_of_class"], axis=2)
        add("GreaterOrEqual", ["by_class", "least_of_class"], ["among_best"])
        add("Where", ["among_best", "by_class", "zero"], ["candidates"])
        scores = "candidates"
    add("NonMaxSuppression", ["all_boxes", scores, "per_class", MAX_OVERLAP, "zero"], ["selected"])
    add("GatherND", [scores, "selected"], ["kept_scores"])
    add("Mul", [scores, "zero"], ["nothing"])
    add("ScatterND", ["nothing", "selected", "kept_scores"], ["survivors"])  # batch, classes, boxes
    add("Reshape", ["survivors", "flat"], ["flat_survivors"])
    add("TopK", ["flat_survivors", "top_k"], [SCORES, "places"], axis=1)
    add("Shape", ["all_scores"], ["scores_shape"])
    add("Gather", ["scores_shape", "axis_1"], ["num_boxes"])
    add("Div", ["places", "num_boxes"], [LABELS])
    add("Mod", ["places", "num_boxes"], ["box_numbers"])
    add("Unsqueeze", ["box_numbers", "axis_2"], ["box_column"])
    add("GatherND", ["all_boxes", "box_column"], [BOXES], batch_dims=1)


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
