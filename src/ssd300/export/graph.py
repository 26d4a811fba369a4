"""The network as an ONNX graph: pixels in, boxes and scores of every default box out, or detections."""

import logging
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from ssd300.errors import UsageError
from ssd300.images.resize import ANTIALIASED
from ssd300.images.to_tensor import WHITE
from ssd300.model import SSD
from ssd300.model.boxes import decode
from ssd300.types import Selection
from ssd300.weights import Card

OPSET = 21
OPSET_TO_QUANTIZE = 20  # nncf writes QuantizeLinear as it was before 21
IMAGES, BOXES, SCORES, LABELS = "images", "boxes", "scores", "labels"
MIN_SCORE, MAX_OVERLAP = "min_score", "max_overlap"


class Deployed(nn.Module):
    """Preprocessing after the resize, network, softmax and decoding, as one module."""

    def __init__(self, model: SSD, *, clip: bool) -> None:
        super().__init__()
        self.model = model
        self.clip = clip

    def forward(
        self, images: Shaped[Tensor, "batch size size 3"]
    ) -> tuple[Float[Tensor, "batch boxes 4"], Float[Tensor, "batch boxes classes"]]:
        """RGB in 0..255, 8 bits or float32; relative xyxy boxes and the score of every class without background."""
        predictions = self.model(images.permute(0, 3, 1, 2).to(torch.float32) / WHITE)
        defaults = self.model.default_boxes.expand_as(predictions.offsets)
        boxes = decode(predictions.offsets, defaults, self.model.settings.variances)
        scores = predictions.logits.softmax(dim=2)[..., 1:]
        return boxes.clamp(0, 1) if self.clip else boxes, scores


def to_onnx(model: SSD, card: Card, *, opset: int = OPSET) -> Any:
    """The graph, an onnx.ModelProto, with a dynamic batch. Its input is 8 bits unless the card resizes to floats.

    Raises:
        UsageError: the extra `onnx` is missing.
    """
    try:
        for name in ("onnx", "onnxscript"):  # the exporter needs both
            import_module(name)
    except ImportError as error:
        raise UsageError("the export needs onnx and onnxscript", fix="pip install 'ssd300[onnx]'") from error
    size = model.settings.image_size_px
    kind = torch.uint8 if card.resize == ANTIALIASED else torch.float32
    example = torch.zeros(2, size, size, 3, dtype=kind)
    deployed = Deployed(model.eval(), clip=card.clip_boxes)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own, about its own inside
            program = torch.export.export(deployed, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
            exported = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[IMAGES],
                output_names=[BOXES, SCORES],
                opset_version=opset,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    assert exported is not None
    return exported.model_proto


def with_suppression(proto: Any, *, num_classes: int, selection: Selection) -> Any:
    """The graph followed by threshold and suppression in each class, the best `top_k` of an image as its rows.

    Two inputs are added, with the values of `selection` where they are left out: `min_score`, one a class, and
    `max_overlap`. A row that is not used has score 0.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.ModelProto()
    model.CopyFrom(proto)
    graph = model.graph
    for node in graph.node:  # the raw outputs get other names, as the graph goes on
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name in (BOXES, SCORES):
                    names[place] = f"select/all_{name}"
    public = {MIN_SCORE, MAX_OVERLAP, BOXES, SCORES, LABELS}

    def own(name: str) -> str:
        """A name that nothing in the network has."""
        return name if name in public else f"select/{name}"

    lowest = np.broadcast_to(np.asarray(selection.min_score, np.float32), (num_classes,)).copy()
    constants: dict[str, np.ndarray] = {
        MIN_SCORE: lowest,
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
    graph.initializer.extend(numpy_helper.from_array(value, own(name)) for name, value in constants.items())
    # optional inputs: those that an initializer gives a value to
    graph.input.extend(
        [
            helper.make_tensor_value_info(MIN_SCORE, TensorProto.FLOAT, [num_classes]),
            helper.make_tensor_value_info(MAX_OVERLAP, TensorProto.FLOAT, [1]),
        ]
    )

    def add(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        inputs, outputs = [own(name) for name in inputs], [own(name) for name in outputs]
        graph.node.append(helper.make_node(op, inputs, outputs, name=f"select/make_{outputs[0]}", **attributes))

    add("Greater", ["all_scores", MIN_SCORE], ["above"])
    add("Where", ["above", "all_scores", "zero"], ["thresholded"])
    add("Transpose", ["thresholded"], ["by_class"], perm=[0, 2, 1])  # batch, classes, boxes
    scores = "by_class"
    if selection.per_class is not None:  # Caffe looks at so many candidates of a class
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
    add("ScatterND", ["nothing", "selected", "kept_scores"], ["survivors"])  # batch, classes, boxes; 0 where suppressed
    add("Reshape", ["survivors", "flat"], ["flat_survivors"])
    add("TopK", ["flat_survivors", "top_k"], [SCORES, "places"], axis=1)
    add("Shape", ["all_scores"], ["scores_shape"])
    add("Gather", ["scores_shape", "axis_1"], ["num_boxes"])
    add("Div", ["places", "num_boxes"], [LABELS])
    add("Mod", ["places", "num_boxes"], ["box_numbers"])
    add("Unsqueeze", ["box_numbers", "axis_2"], ["box_column"])
    add("GatherND", ["all_boxes", "box_column"], [BOXES], batch_dims=1)
    del graph.output[:]
    rows: list[Any] = ["batch", selection.top_k]
    graph.output.extend(
        [
            helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, [*rows, 4]),
            helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, rows),
            helper.make_tensor_value_info(LABELS, TensorProto.INT64, rows),
        ]
    )
    onnx.checker.check_model(model)
    return model
