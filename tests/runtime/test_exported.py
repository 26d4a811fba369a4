"""Exported files give detections above the threshold, and refuse more than they hold."""

import numpy as np
import pytest

from ssd300.detection.network import detect
from ssd300.errors import UsageError, WeightsError
from ssd300.runtime import load_exported
from ssd300.types import Selection

NOISE = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["onnx", "raw"])
def test_detections_are_above_the_threshold_of_their_class_and_best_first(kind, exported):
    (found,) = detect(load_exported(exported[kind]), [NOISE], Selection(min_score=(0.5, 0.4), top_k=50))
    assert len(found) > 0
    assert (found.scores > np.array([0.5, 0.4])[found.labels]).all()
    assert (np.diff(found.scores) <= 0).all()


def test_more_detections_than_the_file_gives_are_refused(exported):
    with pytest.raises(UsageError, match="at most 200 detections per image, not 201"):
        detect(load_exported(exported["onnx"]), [NOISE], Selection(top_k=201))


def test_a_file_that_is_missing_or_broken_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        load_exported(tmp_path / "m.onnx")
    (tmp_path / "m.onnx").write_bytes(b"broken")
    with pytest.raises(WeightsError, match="cannot load the file"):
        load_exported(tmp_path / "m.onnx")
