"""Each kind of model goes the whole way: training, resume, evaluation, exported files in agreement, detection."""

import json

import pytest

from ssd300.cli import main

SIZE = 64
MEMBERS = {
    "lite1": ["--model", "ssd300_efficientnet_lite1"],
    "pyramid": ["--model", "ssd_lite0_fpn"],
    "pyramid-ssdlite": ["--model", "ssd_lite0_fpn", "--heads", "ssdlite"],
    "timm": ["--backbone", "timm:mobilenetv3_small_050"],
}
IN_8_BITS = "timm"  # the smallest


@pytest.mark.slow
@pytest.mark.parametrize("member", MEMBERS)
def test_each_member_trains_resumes_and_exports(member, coloured, tmp_path, capsys):
    def answer(*words):
        capsys.readouterr()
        assert main([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    run, images = tmp_path / "run", coloured / "JPEGImages"
    train = ["train", coloured, "--out", run, "--preset", "light", "--image-size", SIZE, "--init", "none", "--steps", 3]
    train += [*MEMBERS[member], "--batch-size", 2, "--workers", 0, "--amp", "off"]
    assert answer(*train, "--stop-after", 2)["steps"] == 2
    assert answer(*train, "--resume")["steps"] == 3
    by_weights = answer("eval", coloured, "--weights", run)
    facts = answer("info", run)
    wanted = answer("detect", images / "p0.jpg", "--weights", run, "--min-score", 0.05)["images"][0]["detections"]
    files = {"model.onnx": ["--format", "onnx"], "model.xml": ["--format", "openvino"]}
    for name, options in files.items():
        answer("export", "--weights", run, "--out", tmp_path / name, "--images", images, *options)
        assert json.loads((tmp_path / "parity.json").read_text())["agreement"]["found"] > 0.99
        (tmp_path / "parity.json").unlink()
        found = answer("detect", images / "p0.jpg", "--weights", tmp_path / name, "--min-score", 0.05)
        scores = [[one["score"] for one in some[:5]] for some in (wanted, found["images"][0]["detections"])]
        assert scores[0] == pytest.approx(scores[1], abs=1e-3)
        of_file = answer("info", tmp_path / name)
        assert [of_file.get(key) for key in ("model", "backbone", "heads")] == [
            facts.get(key) for key in ("model", "backbone", "heads")
        ]
    assert answer("eval", coloured, "--weights", tmp_path / "model.xml")["map"] == pytest.approx(by_weights["map"])
    if member == IN_8_BITS:
        answer("export", "-w", run, "--out", tmp_path / "int8.onnx", "--precision", "int8", "--images", images)
        answer("detect", images / "p0.jpg", "--weights", tmp_path / "int8.onnx")
