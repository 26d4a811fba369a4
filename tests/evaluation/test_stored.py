import json
from dataclasses import replace

import numpy as np
import pytest

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.evaluation.stored import detections_of, evaluate_stored, is_weights
from ssd300.weights import load_weights, save_weights


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("run", True),
        ("run/weights/best.safetensors", True),
        ("model.onnx", True),
        ("coco", True),  # nothing of this name is on disk
        ("predictions", False),
        ("predictions/detections.jsonl", False),
    ],
)
def test_weights_and_stored_predictions_are_distinguished(tmp_path, monkeypatch, name, weights):
    for file in ("run/weights/best.safetensors", "model.onnx", "predictions/detections.jsonl"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    assert is_weights(name) is weights


def test_a_run_that_lost_its_weights_is_its_stored_predictions(tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval/detections.jsonl").touch()
    assert not is_weights(str(tmp_path))


@pytest.fixture
def stored(tmp_path):
    """Eight detections of the class red, with scores 0.1 to 0.8."""
    folder = tmp_path / "stored"
    folder.mkdir()
    (folder / "comp4_det_test_red.txt").write_text("".join(f"p4 0.{n} 1 1 30 30\n" for n in range(1, 9)))
    return folder


@pytest.mark.parametrize(
    ("limits", "scores"),
    [({}, 8), ({"min_score": 0.5}, 3), ({"min_score": 0.0}, 8), ({"top_k": 2}, 2), ({"min_score": 0.5, "top_k": 9}, 3)],
)
def test_min_score_and_top_k_limit_stored_rows(coloured, stored, limits, scores):
    report = evaluate_stored(stored, load_dataset(coloured, purpose="test"), **limits)
    assert sorted(report.detections.scores)[-scores:] == sorted(report.detections.scores)
    assert len(report.detections) == scores
    assert report.detections.scores.max() == 0.8


def test_the_notes_of_the_reader_are_in_the_report(coloured, stored):
    report = evaluate_stored(stored, load_dataset(coloured, purpose="test"))
    assert "no file, so no detection, of: blue" in report.notes


def test_ids_of_coco_results_are_those_of_the_data(tmp_path):
    box = {"image_id": 70, "category_id": 9, "bbox": [5, 5, 20, 20]}
    annotations = {
        "images": [{"id": 70, "file_name": "a.jpg", "width": 50, "height": 40}],
        "categories": [{"id": 9, "name": "cat"}],
        "annotations": [box | {"id": 1, "iscrowd": 0}],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_test.json").write_text(json.dumps(annotations))
    (tmp_path / "results.json").write_text(json.dumps([box | {"score": 0.9}]))
    dataset = load_dataset(tmp_path, purpose="test", require_images=False)
    assert evaluate_stored(tmp_path / "results.json", dataset).map == 1.0


def test_detections_of_weights_have_the_classes_of_the_data(coloured, light_run):
    """The same weights with their classes in another order, and one class more than the data."""
    dataset = load_dataset(coloured, purpose="test")
    plain = detections_of(str(light_run), dataset).table
    assert set(plain.labels) == {0, 1}
    one_class = replace(dataset, classes=("red",), annotations=[
        replace(one, labels=np.zeros_like(one.labels)) for one in dataset.annotations
    ])  # fmt: skip
    red = detections_of(str(light_run), one_class).table
    assert set(red.labels) == {0}
    np.testing.assert_array_equal(red.boxes_px, plain.boxes_px[plain.labels == dataset.classes.index("red")])
    model, card = load_weights(light_run)
    save_weights(light_run / "weights/best.safetensors", model, replace(card, classes=("red", "blue")))
    turned = detections_of(str(light_run), dataset).table
    np.testing.assert_array_equal(turned.labels, 1 - plain.labels)


def test_stored_detections_are_cut_as_asked(coloured, light_run, tmp_path, capsys):
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "comp4_det_test_red.txt").write_text("".join(f"p4 0.{n} 1 1 30 30\n" for n in range(1, 9)))
    words = ["eval", str(coloured), "--predictions", str(stored), "--json"]
    for more, left in (([], 8), (["--min-score", "0.5"], 3), (["--top-k", "2"], 2)):
        assert main([*words, *more]) == 0
        counts = json.loads(capsys.readouterr().out)["per_class"]
        assert sum(one["detections"] for one in counts.values()) == left
    assert main([*words, "--iou", "0.3"]) == 2
    assert "no NMS runs on stored predictions" in capsys.readouterr().err
    (tmp_path / "detections.jsonl").write_text("")
    assert main(["eval", str(coloured), "--predictions", str(tmp_path / "detections.jsonl")]) == 3
    assert "the file is empty" in capsys.readouterr().err
