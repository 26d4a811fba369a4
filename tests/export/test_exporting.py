import json

import pytest
import torch

from ssd300 import evaluate
from ssd300.cli import main
from ssd300.data import load_dataset


@pytest.mark.slow
def test_parity_json_has_what_was_compared(exported):
    for ending, nms in (("onnx", True), ("raw", False), ("xml", False)):
        report = json.loads(exported[ending].with_name("parity.json").read_text())
        assert (report["precision"], report["nms"]) == ("fp32", nms)
        assert report["agreement"]["found"] > 0.99
        assert report["bytes"] > 1_000_000
        assert report["ms_per_image"]["file"] > 0
    assert exported["xml"].with_suffix(".bin").is_file()


@pytest.mark.slow
def test_an_exported_file_has_the_map_of_its_weights(exported, light_run_of_session, coloured):
    data = load_dataset(coloured, purpose="test")
    assert evaluate(exported["xml"], data).map == pytest.approx(evaluate(light_run_of_session, data).map)


def test_bf16_is_for_openvino_alone(light_run, tmp_path, capsys):
    words = ["export", "-w", str(light_run), "--precision", "bf16", "--out"]
    assert main([*words, str(tmp_path / "m.onnx")]) == 2
    assert "--format openvino" in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_that_differs_is_not_written(light_run, tmp_path, capsys, monkeypatch):
    import ssd300.export.exporting as exporting

    real = exporting.to_onnx

    def wrong(model, card, **options):
        with torch.no_grad():
            for parameter in model.heads.logits.parameters():
                parameter.mul_(-1.0)
        proto = real(model, card, **options)
        with torch.no_grad():
            for parameter in model.heads.logits.parameters():
                parameter.mul_(-1.0)
        return proto

    monkeypatch.setattr(exporting, "to_onnx", wrong)
    out = tmp_path / "made/m.onnx"
    assert main(["export", "-w", str(light_run), "--out", str(out)]) == 5
    assert "does not detect what the weights detect" in capsys.readouterr().err
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--out", "m.xml"], 2, "end in .onnx"),
        (["--out", "m.onnx", "--images", "nowhere"], 3, "no such folder"),
        (["--out", "m.onnx", "--precision", "fp16"], 2, "must be one of"),
    ],
)
def test_mistakes_on_the_command_line(more, code, message, light_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "-w", str(light_run), *more]) == code
    assert message in capsys.readouterr().err


def test_info_prints_the_metadata_of_an_exported_file(exported, capsys):
    assert main(["info", str(exported["xml"]), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["classes"], facts["precision"], facts["suppresses"]) == (["blue", "red"], "fp32", False)
