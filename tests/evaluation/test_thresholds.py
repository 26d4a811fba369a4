import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.detection.defaults import MIN_SCORE
from ssd300.detection.detector import Detector
from ssd300.detection.torch_network import TorchNetwork
from ssd300.evaluation.evaluator import detect_all
from ssd300.evaluation.thresholds import choose_thresholds
from ssd300.metrics.operating_point import Wanted
from ssd300.metrics.voc import voc_average_precision
from ssd300.model.postprocess import postprocess
from ssd300.model.predictions import Predictions
from ssd300.types import Selection
from ssd300.weights import load_weights, read_card, save_weights


@pytest.fixture
def all_images(coloured):
    return load_dataset(coloured, split="trainval")


@pytest.fixture
def detector(light_run):
    """Randomly initialized weights; their scores vary, so there are curves."""
    model, card = load_weights(light_run)
    return Detector(TorchNetwork(model, card))


def test_detections_above_the_thresholds_have_the_chosen_precision_and_recall(detector, all_images):
    chosen = choose_thresholds(detector, all_images, Wanted(goal="recall", value=0.5))
    detector.card = chosen.stored_in(detector.card)
    dataset = all_images.with_classes(detector.card.classes)
    found = detect_all(detector, dataset, detector.selection())
    for label, (name, result) in enumerate(
        zip(dataset.classes, voc_average_precision(dataset.annotations, found.table, 2), strict=True)
    ):
        point = chosen.points[name]
        mine = found.table.scores[found.table.labels == label]
        if point is None:
            assert (mine > MIN_SCORE).all()
            continue
        assert (mine > point.min_score).all()
        assert (result.precision[-1], result.recall[-1]) == pytest.approx((point.precision, point.recall))


def test_a_threshold_per_class_holds_for_that_class():
    torch.manual_seed(0)
    predictions = Predictions(torch.randn(1, 50, 3) * 2, torch.zeros(1, 50, 4))
    boxes = torch.rand(50, 4) * 0.3 + 0.3

    def run(selection):
        return postprocess(predictions, boxes, (0.1, 0.2), classes=("a", "b"), selection=selection)[0]

    both = run(Selection(min_score=(0.2, 0.6)))
    assert both.scores[both.labels == 0].min() > 0.2
    assert both.scores[both.labels == 1].min() > 0.6
    for label, score in ((0, 0.2), (1, 0.6)):
        alone = run(Selection(min_score=score))
        np.testing.assert_array_equal(alone.boxes[alone.labels == label], both.boxes[both.labels == label])
    with pytest.raises(ValueError, match="3 values for 2 classes"):
        run(Selection(min_score=(0.1, 0.2, 0.3)))
    with pytest.raises(ValueError, match="min_score is 1"):
        Selection(min_score=(0.1, 1.5))


def test_a_given_threshold_replaces_the_stored_ones(detector):
    assert detector.selection().min_score == MIN_SCORE
    detector.card = replace(detector.card, min_scores={"red": 0.7})
    assert detector.selection().min_score == (MIN_SCORE, 0.7)
    assert detector.selection(0.3).min_score == 0.3


@pytest.mark.slow
def test_the_command_stores_them_in_the_weights(coloured, light_run, tmp_path, capsys):
    words = ["thresholds", str(coloured), "--split", "trainval", "--weights", str(light_run)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "not stored" in said
    *_, store = said.splitlines()
    typed = ["ssd300", "thresholds", str(coloured), "--weights", str(light_run), "--split", "trainval", "--in-place"]
    assert store.endswith(shlex.join(typed))
    out = tmp_path / "new.safetensors"
    assert main([*words, "--recall", "0.5", "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    card = read_card(out)
    points = {name: point for name, point in printed["classes"].items() if point is not None}
    assert points
    assert card.min_scores == {name: point["min_score"] for name, point in points.items()}
    assert card.source["min_scores"]["wanted"] == "recall from 0.5"
    assert read_card(light_run).min_scores == {}
    assert main(["detect", str(coloured / "JPEGImages/p4.jpg"), "-w", str(out), "--out", str(tmp_path / "d")]) == 0
    assert "confidence thresholds from the weights" in capsys.readouterr().err
    assert main([*words, "--in-place"]) == 0
    assert read_card(light_run).min_scores
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "the weights hold these already" in said
    assert "next:" not in said
    model, card = load_weights(out)
    save_weights(out, model, replace(card, min_scores={"blue": 0.3, "red": 0.25}))
    assert main([*words[:-1], str(out), "--recall", "0.5"]) == 0
    said = capsys.readouterr().out
    held = "not stored: the weights hold blue 0.300, red 0.250"
    assert f"{held}, chosen on these images with another NMS IoU\n" in said
    assert said.rstrip().endswith("--recall 0.5 --in-place")
    assert main([*words[:-1], str(out)]) == 0  # best F1, so by another rule
    assert f"{held}\n" in capsys.readouterr().out
    tensors = load_weights(light_run)[0].state_dict()
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in load_weights(out)[0].state_dict().items())
    capsys.readouterr()
    assert main(["info", str(light_run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["min_scores"] == read_card(light_run).min_scores


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--precision", "0.9", "--recall", "0.9"], "exclude each other"),
        (["--precision", "1.5"], "1 at most"),
        (["--recall", "0"], "above 0"),
        (["--out", "a.safetensors", "--in-place"], "exclude each other"),
        (["--out", "a.pt"], "end in .safetensors"),
    ],
)
def test_mistakes(coloured, light_run, capsys, more, message):
    assert main(["thresholds", str(coloured), "-w", str(light_run), *more]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "split", "trained_on"),
    [
        ("coloured, trainval", "trainval", True),
        ("coloured, trainval", "train", True),
        ("coloured, train", "trainval", False),
        ("other, trainval", "trainval", False),
    ],
)
def test_images_that_were_trained_on_are_recognized(coloured, detector, data, split, trained_on):
    (coloured / "ImageSets/Main/train.txt").write_text("p0\np1\n")
    detector.card = replace(detector.card, source={"data": data})
    chosen = choose_thresholds(detector, load_dataset(coloured, split=split), Wanted())
    assert chosen.trained_on is trained_on


def test_thresholds_of_unknown_classes_are_refused(light_run, capsys):
    model, card = load_weights(light_run)
    save_weights(light_run / "weights/best.safetensors", model, replace(card, min_scores={"cat": 0.5}))
    assert main(["info", str(light_run)]) == 4
    assert "Choose them again" in capsys.readouterr().err
