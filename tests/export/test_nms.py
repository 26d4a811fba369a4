from dataclasses import replace

import numpy as np
import pytest

from export.alike import photographs
from ssd300 import Detector
from ssd300.cli import main
from ssd300.detection.network import detect
from ssd300.export.parity import agreement
from ssd300.images.read import read_image
from ssd300.images.resize import resize
from ssd300.runtime import load_exported
from ssd300.types import Selection
from ssd300.weights import load_weights, save_weights


@pytest.mark.slow
def test_the_caller_sets_thresholds_per_class_and_the_nms_iou(exported, shared):
    images = [read_image(path) for path in photographs(shared)[:1]]
    found = [
        detect(load_exported(exported[ending]), images, Selection(min_score=(0.3, 0.55), max_overlap=0.9, top_k=50))[0]
        for ending in ("onnx", "raw")
    ]
    assert agreement(found[:1], found[1:]).found > 0.9
    assert len(found[0]) <= 50
    for one in found:
        assert (one.scores[one.labels == 1] > 0.55).all()


def test_more_rows_than_the_file_has_are_refused(exported, coloured, capsys, tmp_path):
    words = ["detect", str(coloured / "JPEGImages/p4.jpg"), "-w", str(exported["onnx"]), "--out", str(tmp_path / "o")]
    assert main([*words, "--top-k", "500"]) == 2
    assert "--no-nms" in capsys.readouterr().err
    assert main([*words, "--device", "cuda"]) == 2


@pytest.mark.slow
def test_another_program_gets_what_detect_shows(light_run, tmp_path, shared):
    """The constants are the confidence thresholds of the weights, and detection's NMS IoU."""
    import onnxruntime

    model, card = load_weights(light_run)
    save_weights(tmp_path / "w.safetensors", model, replace(card, min_scores={"red": 0.55}))
    assert main(["export", "-w", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / "e/m.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "e/m.onnx", providers=["CPUExecutionProvider"])
    image = resize(read_image(photographs(shared)[0]), 300)
    boxes, scores, labels = (row[0] for row in session.run(["boxes", "scores", "labels"], {"images": image[None]}))
    detector = Detector.load(tmp_path / "e/m.onnx")
    (wanted,) = detect(detector.network, [image], detector.selection())
    used = scores > 0
    np.testing.assert_array_equal(labels[used], wanted.labels)
    np.testing.assert_array_equal(boxes[used], wanted.boxes)
    assert scores[used & (labels == 1)].min(initial=1) > 0.55
    assert scores[used & (labels == 0)].min(initial=1) > 0.2
