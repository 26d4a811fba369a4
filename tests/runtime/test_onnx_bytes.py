"""The bytes of an ONNX file, against what the library onnx makes of them."""

import io

import pytest

from ssd300.runtime.onnx_bytes import float_inputs, onnx_metadata, with_threshold_inputs


def test_inputs_are_those_that_onnx_would_write():
    onnx = pytest.importorskip("onnx")
    wanted = onnx.ModelProto()
    for name, length in (("min_score", 300), ("max_overlap", 1)):
        wanted.graph.input.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [length]))
    assert onnx.ModelProto.FromString(float_inputs({"min_score": 300, "max_overlap": 1})) == wanted


def test_metadata_is_read_without_the_graph():
    onnx = pytest.importorskip("onnx")
    model = onnx.ModelProto(ir_version=8, producer_name="x" * 300)
    model.graph.name = "g" * 100_000
    onnx.helper.set_model_props(model, {"a": "b", "classes": '["Häuser"]'})
    assert onnx_metadata(io.BytesIO(model.SerializeToString())) == {"a": "b", "classes": '["Häuser"]'}


@pytest.mark.parametrize("content", [b"", b"broken", b"\xff" * 40, bytes(range(256))])
def test_what_is_no_onnx_file_is_left_to_onnx_runtime(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    assert with_threshold_inputs(tmp_path / "m.onnx") == str(tmp_path / "m.onnx")
