import json
from dataclasses import replace

import pytest

from ssd300.data import load_dataset
from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.detection.detector import Detector
from ssd300.errors import DataError, UsageError
from ssd300.evaluation.evaluator import evaluate
from ssd300.training.config import TrainConfig
from ssd300.training.loop import train


def test_the_run_folder_and_detection_from_it(config, data, held_out, coloured, tmp_path):
    out = tmp_path / "run"
    summary = train(data, config(out, steps=1), validation=held_out)
    assert summary["metric"] == "voc07_11pt@0.5"
    for name in ("config.yaml", "env.json", "data.json", "metrics.jsonl", "weights/best.safetensors", "state/last.pt"):
        assert (out / name).is_file(), name
    assert json.loads((out / "summary.json").read_text())["images_seen"] == 2
    result = Detector.load(out)(coloured / "JPEGImages/p0.jpg", min_score=0.0, top_k=5)
    assert len(result) == 5
    assert result.draw().size == (160, 120)


def test_stopping_after_no_step_is_refused_before_anything_is_written(config, data, tmp_path):
    with pytest.raises(UsageError, match="stop_after is 0"):
        train(data, config(tmp_path / "run"), stop_after=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"classes": ("blue",)}, r"p\d\.jpg.*label 1, and there are 1 classes"), ({"annotations": []}, "no images")],
)
def test_data_that_cannot_be_trained_on_is_refused_before_anything_is_written(config, data, tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        train(replace(data, **change), config(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_that_ends_before_its_first_evaluation_has_weights_and_can_be_resumed(
    config, data, held_out, coloured, tmp_path
):
    stopped = train(data, config(tmp_path / "run"), validation=held_out, stop_after=1)
    assert (stopped["map"], stopped["steps"]) == (None, 1)
    assert len(Detector.load(tmp_path / "run")(coloured / "JPEGImages/p0.jpg", min_score=0.0, top_k=2)) == 2
    ended = train(data, config(tmp_path / "run"), validation=held_out, resume=True)
    assert (ended["steps"], ended["images"]) == (4, 1)
    assert ended["per_class"]["red"]["objects"] == 1
    assert train(data, config(tmp_path / "run"), validation=held_out, resume=True) == ended  # nothing is left to do


def test_the_configuration_and_the_hardware_are_logged(config, data, tmp_path, caplog):
    with caplog.at_level("INFO", logger="ssd300"):
        train(data, config(tmp_path / "run", steps=1, seed=7))
    assert "precision float32, seed 7" in caplog.text
    assert "batch_size=2," in caplog.text


@pytest.mark.slow
def test_twenty_synthetic_images_are_learned_by_heart(tmp_path):
    """Without augmentation the whole path from file to mAP must come to nearly 1 on what it was trained on."""
    write_synthetic_dataset(tmp_path / "data", train=20, test=1)
    data = load_dataset(tmp_path / "data")
    config = TrainConfig(
        out=tmp_path / "run", model="ssd300_efficientnet_lite0", init="imagenet", augment=False, steps=60, batch_size=5,
        lr=2e-2, schedule="cosine", warmup_steps=5, grad_clip=10.0, workers=0, image_size=192,
    )  # fmt: skip
    train(data, config)
    assert evaluate(tmp_path / "run", data, verbose=False).map > 0.95
