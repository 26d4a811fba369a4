"""Exported files give detections above the threshold, and refuse more than they hold."""

import json

import numpy as np
import pytest

from ssd300 import Detector
from ssd300.detection.network import detect
from ssd300.errors import UsageError, WeightsError
from ssd300.runtime import load_exported
from ssd300.runtime.manifest import KEY
from ssd300.runtime.onnx_bytes import float_inputs
from ssd300.types import Selection

NOISE = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["onnx", "raw"])
def test_detections_are_above_the_threshold_of_their_class_and_best_first(kind, exported):
    (found,) = detect(load_exported(exported[kind]), [NOISE], Selection(min_score=(0.5, 0.4), top_k=50))
    assert len(found) > 0
    assert (found.scores > np.array([0.5, 0.4])[found.labels]).all()
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("kind", ["onnx", "raw", pytest.param("xml", marks=pytest.mark.slow), "weights"])
def test_no_images_give_no_detections(kind, exported, light_run_of_session):
    detector = Detector.load(light_run_of_session if kind == "weights" else exported[kind])
    network, selection = detector.network, detector.selection()
    assert detector([]) == list(detector.stream(iter([]))) == detect(network, [], selection) == []
    predicted = network.predict([], selection)
    rows = {"onnx": 200}.get(kind, 8732)
    assert all(part.shape[:2] == (0, rows) for part in (predicted if kind == "weights" else predicted.values()))


def test_a_file_of_version_1_has_its_thresholds_as_inputs_already(exported, tmp_path):
    """So did files before version 2, which still run."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported["onnx"])
    model.graph.input.extend(onnx.ModelProto.FromString(float_inputs({"min_score": 2, "max_overlap": 1})).graph.input)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, facts | {KEY: json.dumps(json.loads(facts[KEY]) | {"format_version": 1})})
    onnx.save(model, tmp_path / "m.onnx")
    selection = Selection(min_score=0.4, max_overlap=0.9, top_k=50)
    (old,), (new,) = (
        detect(load_exported(path), [NOISE], selection) for path in (tmp_path / "m.onnx", exported["onnx"])
    )
    np.testing.assert_array_equal(old.scores, new.scores)


def test_more_detections_than_the_file_gives_are_refused(exported):
    with pytest.raises(UsageError, match="at most 200 detections per image, not 201"):
        detect(load_exported(exported["onnx"]), [NOISE], Selection(top_k=201))


def test_a_file_that_is_missing_or_broken_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        load_exported(tmp_path / "m.onnx")
    (tmp_path / "m.onnx").write_bytes(b"broken")
    with pytest.raises(WeightsError, match="cannot load the file"):
        load_exported(tmp_path / "m.onnx")
