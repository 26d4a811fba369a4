"""The four scripts at the root, run as their users run them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def script(name, *words):
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / name, *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_lists_train_eval_detect(coloured, tmp_path):
    """The seed's own order of work; one VOC folder stands for both years."""
    (tmp_path / "VOCdevkit").mkdir()
    for year in ("VOC2007", "VOC2012"):
        (tmp_path / "VOCdevkit" / year).symlink_to(coloured)
    lists, run = tmp_path / "lists", tmp_path / "run"
    made = script("create_data_list.py", "--voc07_path", tmp_path / "VOCdevkit/VOC2007", "--voc12-path",
                  tmp_path / "VOCdevkit/VOC2012", "--output_folder", lists)  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert len(json.loads((lists / "TRAIN_images.json").read_text())) == 8
    again = script("create_data_list.py", "--voc07_path", coloured, "--voc12_path", coloured, "--output-folder", lists)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    options = ["--data_folder", lists, "--model", "ssd300_efficientnet_lite0", "--batch_size", 2, "--workers", 0]
    trained = script("train.py", *options, "--iterations", 2, "--print-freq", 1, "--out", run)
    assert trained.returncode == 0, trained.stderr
    config = (run / "config.yaml").read_text()
    for line in ("lr: 0.001", "lr_drop_factor: 0.1", "momentum: 0.9", "weight_decay: 0.0005", "grad_clip: null"):
        assert line in config
    measured = script("eval.py", "--data-folder", lists, "--checkpoint", run)
    assert measured.returncode == 0, measured.stderr
    assert "voc07_11pt@0.5" in measured.stdout
    found = script("detect.py", coloured / "JPEGImages/p4.jpg", "--checkpoint", run, "--out", tmp_path / "found")
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "found/p4.jpg").is_file()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("create_data_list.py", ["--output_folder OUTPUT_FOLDER", "(default: ./)"]),
        (
            "train.py",
            ["(default: 8)", "(default: 120000)", "(default: 200)", "(default: [80000, 100000])", "(default: 4)"],
        ),
        ("detect.py", ["(default: 0.2)", "(default: 0.5)", "(default: 200)"]),
        ("eval.py", ["(default: 0.01)", "(default: 0.45)", "(default: 200)"]),
    ],
)
def test_the_seeds_constants_are_the_defaults(name, words):
    shown = " ".join(script(name, "--help").stdout.split())
    for word in words:
        assert word in shown


def test_a_mistake_has_the_codes_and_words_of_the_command(tmp_path):
    made = script("create_data_list.py", "--voc07_path", tmp_path / "none", "--voc12_path", tmp_path, "--output_folder",
                  tmp_path / "lists")  # fmt: skip
    assert made.returncode == 3
    assert "no such folder" in made.stderr
    assert "Traceback" not in made.stderr
    assert not (tmp_path / "lists").exists()
