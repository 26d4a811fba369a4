import json
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
import torch

from ssd300 import evaluate
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError
from ssd300.export import exporting
from ssd300.export.building import Int8
from ssd300.export.reference import Compared, Files, Reference, check_graph
from ssd300.types import Selection
from ssd300.weights import load_weights


@pytest.mark.slow
def test_parity_json_has_what_was_compared(exported):
    for ending, nms in (("onnx", True), ("raw", False), ("xml", False)):
        report = json.loads(exported[ending].with_name("parity.json").read_text())
        assert (report["precision"], report["nms"]) == ("fp32", nms)
        assert report["agreement"]["found"] > 0.99
        assert report["raw_agreement"]["scores"] == report["raw_agreement"]["images"] * 8732 * 2
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


@pytest.mark.slow
def test_info_prints_the_metadata_of_an_exported_file(exported, capsys):
    file = str(exported["xml"])
    capsys.readouterr()  # of the export
    assert main(["info", file, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["classes"], facts["precision"], facts["suppresses"]) == (["blue", "red"], "fp32", False)


class Nothing:
    """A network that returns the same outputs for every image."""

    def __init__(self, like):
        self.card = like.card
        self.prepare = like.prepare

    def predict(self, inputs, selection):
        return {"boxes": np.zeros((1, 8732, 4), np.float32), "scores": np.full((1, 8732, 2), 0.01, np.float32)}

    def select(self, predictions, selection):
        raise NotImplementedError


def test_a_graph_that_ignores_its_input_is_refused_on_dark_images_too(light_run):
    original = TorchNetwork(*load_weights(light_run))
    dark = [np.full((240, 320, 3), 8, np.uint8)]
    with pytest.raises(ExportError, match="does not detect what the weights detect"):
        check_graph(original, Nothing(original), dark, "m.onnx")


def test_int8_needs_images_on_which_something_is_detected(light_run, monkeypatch):
    original = TorchNetwork(*load_weights(light_run))
    monkeypatch.setattr(exporting, "detect", lambda network, images, selection: [[]])
    dark = [np.full((240, 320, 3), 8, np.uint8)] * 2
    with pytest.raises(ExportError, match="detect nothing on any of the 2 images"):
        exporting._calibration(original, dark, Selection(), Path("m.onnx"))


def tried(layers):
    """A file with so many layers in float32."""
    return Files(Path(f"{layers}.onnx"), Path(f"{layers}.onnx")), Int8(None, ("a layer",) * layers, 0.01, False)


def a_reference(*violations):
    """One that says of the first file, the second, ... which limits it exceeds."""
    reference = create_autospec(Reference, instance=True)
    reference.compare.side_effect = [Compared(list(found), {}) for found in violations]
    return reference


def test_the_first_int8_file_that_exceeds_no_limit_is_taken_and_why_the_others_were_not_is_kept():
    reference = a_reference(["mAP is lower", "a box differs"], [], [])
    good = exporting._first_good([tried(0), tried(1), tried(2)], reference, "int8", Path("m.onnx"))
    assert (good.files, good.int8) == tried(1)
    assert good.refused == ["mAP is lower; a box differs"]


def test_where_every_int8_file_exceeds_a_limit_the_error_says_what_the_last_one_does():
    reference = a_reference(["mAP is lower"], ["mAP is a little lower"])
    with pytest.raises(ExportError, match="mAP is a little lower"):
        exporting._first_good([tried(0), tried(1)], reference, "int8", Path("m.onnx"))
