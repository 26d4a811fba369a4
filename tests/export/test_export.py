import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ssd300 import Detector, evaluate
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.detection.network import detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.export.parity import LIMITS, Agreement, agreement, violations
from ssd300.images.read import read_image
from ssd300.images.resize import BILINEAR, resize
from ssd300.runtime import load_exported
from ssd300.types import Detections, Selection
from ssd300.weights import load_weights, save_weights

WIDE = Selection(min_score=0.3, max_overlap=0.45)


def photographs(shared):
    return sorted((shared / "data/voc_sample/VOCdevkit/VOC2007/JPEGImages").glob("*.jpg"))[:6]


def assert_alike(wanted, got):
    """The same detections but for a few that rounding decides: a network that was never trained has many of these."""
    seen = agreement(wanted, got)
    assert seen.detections > 100
    assert seen.found > 0.99
    assert (seen.score, seen.box) == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize("ending", ["onnx", "raw", "xml"])
def test_an_exported_file_finds_what_its_weights_find(ending, exported, light_run_of_session, shared):
    """On photographs of several sizes, a batch at once: the same detections."""
    images = [read_image(path) for path in photographs(shared)]
    wanted = detect(TorchNetwork(*load_weights(light_run_of_session)), images, WIDE)
    got = detect(load_exported(exported[ending]), images, WIDE)
    assert_alike(wanted, got)


def test_scores_a_class_and_overlap_are_the_callers(exported, shared):
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


def test_evaluation_of_an_exported_file(exported, light_run_of_session, coloured):
    data = load_dataset(coloured, purpose="test")
    assert evaluate(exported["xml"], data).map == pytest.approx(evaluate(light_run_of_session, data).map)


def test_what_the_command_says_and_writes(exported):
    for ending, nms in (("onnx", True), ("raw", False), ("xml", False)):
        report = json.loads(exported[ending].with_name("parity.json").read_text())
        assert (report["precision"], report["nms"]) == ("fp32", nms)
        assert report["agreement"]["found"] > 0.99
        assert report["bytes"] > 1_000_000
        assert report["ms_per_image"]["file"] > 0
    assert exported["xml"].with_suffix(".bin").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("onnx", "m.onnx"), ("openvino", "m.xml")])
def test_int8_is_calibrated_compared_and_kept(kind, name, light_run_of_session, voc_sample, tmp_path, capsys):
    folder = str(voc_sample / "VOC2007/JPEGImages")
    words = ["export", "-w", str(light_run_of_session), "--format", kind, "--precision", "int8", "--images", folder]
    code = main([*words, "--out", str(tmp_path / name), "--json"])
    printed = capsys.readouterr()
    if code == 5:  # weights that were drawn and never trained say little, and int8 may lose it
        assert not (tmp_path / name).exists()
        assert "does not do what the weights do" in printed.err
        return
    assert code == 0, printed.err
    report = json.loads(printed.out)
    assert report["precision"] == "int8"
    assert report["bytes"] < 9_000_000
    assert Detector.load(tmp_path / name).card.precision == "int8"


def test_bf16_is_openvinos(light_run, tmp_path, capsys):
    words = ["export", "-w", str(light_run), "--precision", "bf16", "--out"]
    assert main([*words, str(tmp_path / "m.onnx")]) == 2
    assert "--format openvino" in capsys.readouterr().err


def test_a_file_that_differs_is_not_kept(light_run, tmp_path, capsys, monkeypatch):
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
    assert "does not do what the weights do" in capsys.readouterr().err
    assert not out.parent.exists()


def test_images_resized_without_antialiasing(light_run, tmp_path, shared):
    """As torchvision's SSD wants them: the file takes floats, and the runtime interpolates as torch does."""
    model, card = load_weights(light_run)
    save_weights(tmp_path / "w.safetensors", model, replace(card, resize=BILINEAR, clip_boxes=True))
    assert main(["export", "-w", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / "e/m.onnx")]) == 0
    images = [read_image(path) for path in photographs(shared)]
    wanted = detect(TorchNetwork(*load_weights(tmp_path / "w.safetensors")), images, WIDE)
    assert_alike(wanted, detect(load_exported(tmp_path / "e/m.onnx"), images, WIDE))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.onnx", b"no graph", "ONNX Runtime cannot load"),
        ("m.xml", b"<net/>", "OpenVINO cannot load"),
        ("none.onnx", None, "no such file"),
    ],
)
def test_damaged_files(name, content, message, tmp_path, coloured, capsys):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    image = str(coloured / "JPEGImages/p4.jpg")
    assert main(["detect", image, "-w", str(tmp_path / name), "--out", str(tmp_path / "o")]) == 4
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--out", "m.xml"], 2, "end in .onnx"),
        (["--out", "m.onnx", "--images", "nowhere"], 3, "no such folder"),
        (["--out", "m.onnx", "--precision", "fp16"], 2, "Choose from"),
    ],
)
def test_mistakes(more, code, message, light_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "-w", str(light_run), *more]) == code
    assert message in capsys.readouterr().err


def detections(*rows):
    return Detections(
        boxes=np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in rows], np.float32),
        labels=np.array([label for _, _, label in rows], np.int64),
        classes=("a", "b"),
    )


BOX, NEAR, FAR = (0.1, 0.1, 0.5, 0.5), (0.1, 0.1, 0.5, 0.52), (0.6, 0.6, 0.9, 0.9)


@pytest.mark.parametrize(
    ("weights", "file", "found", "score", "box"),
    [
        ([(BOX, 0.9, 0)], [(NEAR, 0.8, 0)], 1.0, 0.1, 1 - 0.4 / 0.42),
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 1)], 0.0, 0.0, 0.0),  # another class is no partner
        ([(BOX, 0.9, 0), (FAR, 0.9, 0)], [(BOX, 0.9, 0)], 0.5, 0.0, 0.0),
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 0), (FAR, 0.9, 0)], 0.5, 0.0, 0.0),  # nor may the file invent
        ([(BOX, 0.52, 0)], [(BOX, 0.48, 0)], 1.0, 0.04, 0.0),  # a partner may lie below what is shown
        ([], [], 1.0, 0.0, 0.0),
    ],
)
def test_agreement_by_hand(weights, file, found, score, box):
    seen = agreement([detections(*weights)], [detections(*file)])
    assert (seen.found, seen.score, seen.box) == pytest.approx((found, score, box), abs=1e-6)


def test_each_limit_is_told():
    bad = Agreement(images=1, detections=3, found=0.5, score=0.5, box=0.5)
    assert len(violations(bad, LIMITS["fp32"], map_loss=0.1)) == 4
    good = Agreement(images=1, detections=3, found=1.0, score=0.0, box=0.0)
    assert violations(good, LIMITS["int8"], map_loss=-0.1) == []


def test_another_program_gets_what_detection_shows(light_run, tmp_path, shared):
    """The optional inputs have the lowest scores of the weights, and detection's overlap."""
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


def test_info_of_an_exported_file(exported, capsys):
    assert main(["info", str(exported["xml"]), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], said["precision"], said["suppresses"]) == (["blue", "red"], "fp32", False)
