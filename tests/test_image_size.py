"""A detector of another image size, with fitted default boxes, goes the whole way: training, weights, export.

So does one with a pyramid and other heads.
"""

import json

import pytest

from ssd300.cli import main

SIZE = "128"
PYRAMID = ["--model", "ssd_lite0_fpn", "--heads", "ssdlite"]


@pytest.fixture(params=[[], PYRAMID], ids=["light", "pyramid"])
def run(coloured, tmp_path, request):
    words = ["--preset", "light", "--image-size", SIZE, "--default-boxes", "fitted", "--init", "none", "--amp", "off"]
    words += [*request.param, "--steps", "2", "--batch-size", "2", "--workers", "0", "--json"]
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), *words]) == 0
    return tmp_path / "run"


@pytest.mark.slow
def test_every_command_takes_the_size_and_the_boxes_from_the_weights(run, coloured, tmp_path, capsys):
    capsys.readouterr()
    image, model = coloured / "JPEGImages/p0.jpg", tmp_path / "model.onnx"
    assert main(["info", str(run), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["input_size"] == [int(SIZE)] * 2
    assert facts["default_boxes"]["fitted_px"]
    assert main(["export", "--weights", str(run), "--out", str(model), "--images", str(image.parent)]) == 0
    found = []
    for weights in (run, model):
        capsys.readouterr()
        assert main(["detect", str(image), "--weights", str(weights), "--min-score", "0.1", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["images"][0]["detections"])
        assert main(["eval", str(coloured), "--weights", str(weights), "--json"]) == 0
    by_weights, by_file = ([item["score"] for item in one][:5] for one in found)
    assert by_weights
    assert by_weights == pytest.approx(by_file, abs=1e-3)
