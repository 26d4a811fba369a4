import json

import pytest

from ssd300.cli import main
from ssd300.cli.info import _sentences
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import LITE
from ssd300.weights import Card, save_weights

EXPORTED = {
    "file": "cells.onnx", "model": "ssd300_vgg16", "classes": ["cell"], "input_size": [300, 300], "resize": "r",
    "normalization": None, "precision": "int8", "suppresses": False, "top_k": None, "min_scores": {"cell": 0.25},
    "metric": None,
    "float32_layers": ("conv1", "head"),
    "source": {"start": "none", "data": "cells, train", "images": 1}, "format_version": 1,
}  # fmt: skip
PUBLISHED = {"imported_from": "a.pth", "layout": "torchvision", "origin": "torchvision", "data": "COCO",
             "licence": "BSD-3-Clause", "published": "COCO mAP 25.1"}  # fmt: skip


@pytest.fixture
def weights(tmp_path):
    card = Card(
        model="ssd300_efficientnet_lite0", classes=("red", "blue"), settings=PAPER, normalization=LITE,
        metric={"name": "voc07_11pt@0.5", "value": 0.75, "images": 1}, source=PUBLISHED,
    )  # fmt: skip
    save_weights(tmp_path / "w.safetensors", card.build(), card)
    return tmp_path / "w.safetensors"


def test_heads_of_another_kind_are_said(tmp_path, capsys):
    card = Card(model="ssd_lite0_fpn", classes=("red",), settings=PAPER, normalization=LITE, heads="ssdlite")
    save_weights(tmp_path / "w.safetensors", card.build(), card)
    assert main(["info", str(tmp_path / "w.safetensors")]) == 0
    text = capsys.readouterr().out
    assert "A detector, ssd_lite0_fpn.\n" in text
    assert "Its heads and extra layers are SSDLite's" in text


def test_weights_in_sentences(weights, capsys):
    assert main(["info", str(weights)]) == 0
    text = capsys.readouterr().out
    for part in (
        f"{weights}\nA detector, ssd300_efficientnet_lite0.\nIt finds 2 classes: red, blue.\nIt resizes images",
        "mAP 0.7500, VOC 2007 rule (11 points), IoU 0.5, on 1 held-out image.",
        "none stored, so detect uses 0.2",
        "Imported from a.pth, in the layout of torchvision.\nOrigin: torchvision. Trained on COCO.\n",
        "Published: COCO mAP 25.1.\nLicense: BSD-3-Clause.\n",
        f"ssd300 info {weights} --json\n",
    ):
        assert part in text
    assert not any(python in text for python in ("{", "[", "None", "'"))
    assert main(["info", "-w", str(weights), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {"file", "model", "classes", "input_size", "normalization", "metric", "data", "licence"} <= set(facts)


def test_the_choices_of_a_training_in_a_sentence():
    source = EXPORTED["source"] | {"recipe": {"matching": "atss", "backbone_lr": 0.1}}
    assert "Choices beyond the paper: matching=atss, backbone_lr=0.1." in _sentences(EXPORTED | {"source": source})


def test_an_exported_file_in_sentences():
    assert list(_sentences(EXPORTED)) == [
        "cells.onnx",
        "A detector, ssd300_vgg16, exported in int8.",
        "It finds 1 class: cell.",
        "It resizes images to 300 x 300 pixels (r); it normalizes them itself.",
        "In float32 for the sake of accuracy: 2 layers: conv1, head.",
        "It returns the boxes and scores of all default boxes: non-maximum suppression is not in the file.",
        "mAP: not measured by the command that wrote its weights.",
        "Confidence thresholds: cell 0.250.",
        "Trained on 1 image of cells, train, from randomly initialized weights.",
        "License: not stated.",
    ]


def test_the_map_in_an_exported_file_is_that_of_its_weights():
    metric = {"name": "voc07_11pt@0.5", "value": 0.75, "images": 2}
    wanted = (
        "Of the weights that it was made from: mAP 0.7500, VOC 2007 rule (11 points), IoU 0.5, on 2 held-out images."
    )
    assert wanted in list(_sentences(EXPORTED | {"metric": metric}))


@pytest.mark.parametrize("gpus", [[], ["NVIDIA H100"]])
def test_the_machine(monkeypatch, capsys, gpus):
    from ssd300.system.environment import environment

    facts = environment() | {"gpus": gpus, "timm": "", "threads": 1}
    monkeypatch.setattr("ssd300.system.environment.environment", lambda: facts)
    assert main(["env"]) == 0
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    rows = {name: value.strip() for name, value in rows.items()}
    assert rows["GPU"] == (gpus[0] if gpus else "none that torch can use")
    assert rows["timm"] == "not installed"
    assert rows["processors"].endswith("; torch uses 1 thread")
    assert main(["env", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == facts
