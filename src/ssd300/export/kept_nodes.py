"""What stays in float32 in every int8 file, by its place in the ONNX graph."""

from typing import Any

from ssd300.export.graph import BOXES, SCORES

STOP_AT = ("Conv", "Reshape", "Concat")  # from the outputs backwards, the decoding of boxes and scores ends here


def decoding_nodes(proto: Any) -> list[str]:
    """Names of the nodes of an ONNX graph that decode boxes and scores, after the heads' outputs are joined."""
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
    """Its name. It is a hundredth of the work, and in 8 bits it costs much mAP."""
    return [next(node.name for node in proto.graph.node if node.op_type == "Conv")]


def heads(proto: Any) -> list[str]:
    """Names of the convolutions of the heads. ONNX Runtime's integer convolution has an output of 8 bits too, which are
    few for logits.
    """
    transposed = {node.input[0] for node in proto.graph.node if node.op_type == "Transpose"}
    return [node.name for node in proto.graph.node if node.op_type == "Conv" and node.output[0] in transposed]


def length_nodes(proto: Any) -> list[str]:
    """Names of the nodes that L2-normalize features: 256 values are too few for sums of squares."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    found = [node.name for node in proto.graph.node if node.op_type in ("Pow", "ReduceSum", "Sqrt")]
    for node in proto.graph.node:
        divisor = makers.get(node.input[1]) if node.op_type == "Div" else None
        if divisor is not None and divisor.op_type == "Sqrt":
            found.append(node.name)
    return found
