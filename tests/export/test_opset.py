"""Files of every opset in the range give the same detections; others are refused."""

import numpy as np
import pytest

from export.alike import photographs
from ssd300.errors import UsageError
from ssd300.export.kept_nodes import decoding_nodes
from ssd300.export.nms import with_nms
from ssd300.export.onnx_int8 import quantize_onnx, ranges_of
from ssd300.export.opset import OLDEST_RUNTIME, at_opset, check_opset, opsets
from ssd300.images.read import read_image
from ssd300.images.resize import resize
from ssd300.types import Selection


@pytest.mark.parametrize(
    ("opset", "format_name", "precision", "message"),
    [
        (14, "onnx", "fp32", "fp32 files can have 15 to 21"),
        (22, "onnx", "fp32", "15 to 21"),
        (21, "onnx", "int8", "int8 files can have 15 to 20"),
        (17, "openvino", "fp32", "is for ONNX files"),
    ],
)
def test_an_opset_that_cannot_be_is_refused(opset, format_name, precision, message):
    with pytest.raises(UsageError, match=message):
        check_opset(opset, format_name, precision)
    check_opset(None, format_name, precision)
    check_opset(15, "onnx", precision)


def test_the_oldest_runtime_is_known_for_each():
    assert set(OLDEST_RUNTIME) == {*opsets("fp32"), *opsets("int8")}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_files_of_each_opset_give_the_same_detections(precision, exported, shared):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    images = np.stack([resize(read_image(path), 300) for path in photographs(shared)[:2]])
    graph = onnx.load(exported["raw"])
    if precision == "int8":
        graph = quantize_onnx(graph, ranges_of(graph, [images[:1], images[1:]]), keep=decoding_nodes(graph))
    wanted = None
    for opset in opsets(precision):
        lowered = at_opset(graph, opset)
        assert lowered.opset_import[0].version == opset
        file = with_nms(lowered, num_classes=2, selection=Selection(min_score=0.3, top_k=50)).SerializeToString()
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        found = session.run(["labels", "scores", "boxes"], {"images": images})
        wanted = wanted or found
        for got, first in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, first, atol=1e-5)
