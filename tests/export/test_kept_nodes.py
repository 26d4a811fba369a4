import json

import pytest
from onnx import helper

from conftest import write_drawn_weights
from ssd300 import Detector
from ssd300.cli import main
from ssd300.export.kept_nodes import decoding_nodes, first_convolution, length_nodes
from ssd300.export.openvino_int8 import names_in_openvino


def graph_of(*nodes):
    """An ONNX model of (operation, inputs, output): nodes are named after their outputs."""
    made = [helper.make_node(op, inputs, [output], name=output) for op, inputs, output in nodes]
    return helper.make_model(helper.make_graph(made, "network", [], []))


NETWORK = graph_of(
    ("Conv", ["images", "w"], "first"),
    ("Pow", ["first", "two"], "squares"),
    ("ReduceSum", ["squares"], "sum"),
    ("Sqrt", ["sum"], "length"),
    ("Div", ["first", "length"], "normalized"),
    ("Conv", ["normalized", "w"], "head"),
    ("Concat", ["head", "head"], "offsets"),
    ("Exp", ["offsets"], "sizes"),
    ("Div", ["sizes", "two"], "halves"),
    ("Concat", ["halves", "halves"], "boxes"),
    ("Reshape", ["head", "shape"], "logits"),
    ("Softmax", ["logits"], "scores"),
)


def test_what_stays_in_float_is_found_by_its_place_in_the_graph():
    assert set(decoding_nodes(NETWORK)) == {"boxes", "halves", "sizes", "scores"}
    assert set(length_nodes(NETWORK)) == {"squares", "sum", "length", "normalized"}
    assert first_convolution(NETWORK) == ["first"]
    assert names_in_openvino(["first"]) == ["first", "first/WithoutBiases"]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("onnx", "m.onnx"), ("openvino", "m.xml")])
def test_int8_is_calibrated_compared_and_written(kind, name, voc_sample, tmp_path, capsys):
    run = write_drawn_weights(tmp_path / "run", image_size_px=128)
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in sorted((voc_sample / "VOC2007/JPEGImages").iterdir())[:6]:
        (folder / photo.name).symlink_to(photo)
    words = ["export", "-w", str(run), "--format", kind, "--precision", "int8"]
    code = main([*words, "--images", str(folder), "--out", str(tmp_path / name), "--json"])
    printed = capsys.readouterr()
    if code == 5:  # the differences of untrained weights are small, and int8 may lose them
        assert not (tmp_path / name).exists()
        assert "does not detect what the weights detect" in printed.err
        return
    assert code == 0, printed.err
    report = json.loads(printed.out)
    assert report["precision"] == "int8"
    assert report["times_as_fast_as_fp32"] > 0
    assert report["float32_layers"]
    assert report["bytes"] < 9_000_000
    assert Detector.load(tmp_path / name).card.precision == "int8"
