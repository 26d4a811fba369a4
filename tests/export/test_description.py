"""What a stranger reads in an exported file, without ssd300."""

import json

import pytest

from ssd300.runtime.manifest import KEY


def test_an_onnx_file_says_how_it_is_used(exported):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported["onnx"])
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(facts["classes"]) == ["blue", "red"]
    assert (json.loads(facts["min_score"]), json.loads(facts["max_overlap"])) == ([0.2, 0.2], 0.5)
    assert facts["resize"] == "pillow-bilinear-antialias"
    assert facts["runtime"] == "opset 18, IR version 8: ONNX Runtime 1.14 or later"
    assert "red, green, blue, each 0..255" in facts["input"]
    assert "labels: int64" in facts["outputs"]
    values = {value.name: value for value in (*model.graph.input, *model.graph.output)}
    assert set(values) == {"images", "boxes", "scores", "labels"}
    assert all(value.doc_string for value in values.values())
    axes = {
        name: [(dim.denotation, dim.dim_param or dim.dim_value) for dim in value.type.tensor_type.shape.dim]
        for name, value in values.items()
    }
    assert axes["images"] == [("batch", "batch"), ("height", 300), ("width", 300), ("channels", 3)]
    assert axes["boxes"] == [("batch", "batch"), ("detections", 200), ("corners", 4)]


def test_an_onnx_file_holds_nothing_of_the_machine_that_wrote_it(exported):
    """The exporter would leave the source code's paths in it; and what no node reads ONNX Runtime warns of."""
    onnx = pytest.importorskip("onnx")
    assert b"graph.py" not in exported["onnx"].read_bytes()
    graph = onnx.load(exported["onnx"]).graph
    assert {one.name for one in graph.initializer} <= {name for node in graph.node for name in node.input}


@pytest.mark.slow
def test_an_openvino_file_says_it_too(exported):
    openvino = pytest.importorskip("openvino")
    model = openvino.Core().read_model(exported["xml"])
    facts = {key: model.get_rt_info(key).astype(str) for key in ("classes", "input", "outputs", "min_score", KEY)}
    assert json.loads(facts["classes"]) == ["blue", "red"]
    assert "drop boxes whose IoU" in facts["outputs"]
    assert model.get_parameters()[0].get_layout() == openvino.Layout("NHWC")
