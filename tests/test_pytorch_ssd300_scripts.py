"""The four scripts at the root, run as their users run them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ssd300.data.synthetic import write_synthetic_dataset

ROOT = Path(__file__).parents[1]
LIGHT = ["--model", "ssd300_efficientnet_lite0", "--batch_size", 2, "--workers", 0]


def script(name, *words, folder=None):
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / name, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.fixture
def home(tmp_path):
    """The folder where a user of pytorch-SSD300 works: it has VOCdevkit, here with synthetic images of two years."""
    for year, seed in (("VOC2007", 7), ("VOC2012", 12)):
        write_synthetic_dataset(tmp_path / "VOCdevkit" / year, train=3, test=2, seed=seed)
    return tmp_path


def make_lists(home, *words):
    years = ["--voc07-path", "VOCdevkit/VOC2007", "--voc12_path", "VOCdevkit/VOC2012"]
    return script("create_data_list.py", *years, *words, folder=home)


@pytest.mark.slow
def test_lists_train_eval_detect(home):
    """The order of pytorch-SSD300's tutorial, each script with its default folders."""
    assert make_lists(home).returncode == 0
    trained = script("train.py", *LIGHT, "--iterations", 2, "--print-freq", 1, folder=home)
    assert trained.returncode == 0, trained.stderr
    run = home / "checkpoint_ssd300"
    config = (run / "config.yaml").read_text().splitlines()
    for line in ("lr: 0.001", "lr_drop_factor: 0.1", "momentum: 0.9", "weight_decay: 0.0005", "grad_clip: null",
                 "default_boxes: paper", "rules: paper", "steps: 2", "batch_size: 2", "log_every: 1"):  # fmt: skip
        assert line in config
    assert "pytorch-SSD300's lists" in trained.stderr
    measured = script("eval.py", folder=home)
    assert measured.returncode == 0, measured.stderr
    assert "VOC 2007 rule (11 points), IoU 0.5, on 2 images" in measured.stdout
    for name in ("ball", "cone", "crate", "star"):
        assert name in measured.stdout
    words = ["VOCdevkit/VOC2007/JPEGImages/test_0000.jpg", "--suppress", "ball", "star"]
    found = script("detect.py", *words, folder=home)
    assert found.returncode == 0, found.stderr
    assert (home / "detections/test_0000.jpg").is_file()


@pytest.mark.slow
def test_a_checkpoint_is_resumed_with_the_same_options(home):
    assert make_lists(home).returncode == 0
    words = [*LIGHT, "--iterations", 2, "--decay_lr_at", 1, "--keep_difficult", "False"]
    stopped = script("train.py", *words, "--out", "run", "--stop-after", 1, folder=home)  # the last is `ssd300 train`'s
    assert stopped.returncode == 0, stopped.stderr
    resumed = script("train.py", *words, "--checkpoint", "run", folder=home)
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed after step 1" in resumed.stderr
    assert json.loads((home / "run/summary.json").read_text())["steps"] == 2
    changed = script("train.py", *words, "--checkpoint", "run", "--lr", 0.5, folder=home)
    assert (changed.returncode, "lr: 0.001 -> 0.5" in changed.stderr) == (2, True)


def test_lists_are_made_in_the_working_directory_and_not_over_others(home):
    made = make_lists(home)
    assert made.returncode == 0, made.stderr
    assert json.loads((home / "TRAIN_images.json").read_text())[3] == "VOCdevkit/VOC2012/JPEGImages/trainval_0000.jpg"
    assert len(json.loads((home / "TEST_objects.json").read_text())) == 2
    before = (home / "data.json").stat().st_mtime_ns
    again = make_lists(home)
    assert (again.returncode, "--overwrite" in again.stderr) == (2, True)
    assert (home / "data.json").stat().st_mtime_ns == before
    assert make_lists(home, "--overwrite", "--absolute_paths").returncode == 0
    assert Path(json.loads((home / "TRAIN_images.json").read_text())[0]).is_absolute()


def test_lists_are_made_where_a_year_has_no_trainval(home):
    lists = home / "VOCdevkit/VOC2012/ImageSets/Main"
    (lists / "trainval.txt").unlink()
    made = make_lists(home)
    assert made.returncode == 0, made.stderr
    assert "VOC2012 has no trainval split; it has test" in made.stderr
    assert len(json.loads((home / "TRAIN_images.json").read_text())) == 3
    assert "train.py --data_folder . --out" in made.stdout  # what comes next, as a script
    # VOC2007 has its test alone, and VOC2012 a train list.
    (home / "VOCdevkit/VOC2007/ImageSets/Main/trainval.txt").rename(lists / "train.txt")
    (home / "VOCdevkit/VOC2012").joinpath("ImageSets/Main/train.txt").write_text("trainval_0000\n")
    made = make_lists(home, "--overwrite")
    assert made.returncode == 0, made.stderr
    assert "VOC2012 has no trainval split; its train is used" in made.stderr
    assert [len(json.loads((home / f"{part}_images.json").read_text())) for part in ("TRAIN", "TEST")] == [1, 2]


def test_lists_without_anything_to_train_on_are_refused(home):
    for year in ("VOC2007", "VOC2012"):
        (home / "VOCdevkit" / year / "ImageSets/Main/trainval.txt").unlink()
    made = make_lists(home)
    assert made.returncode == 3
    assert "there is nothing to train on" in made.stderr
    assert not (home / "TRAIN_images.json").exists()


@pytest.mark.slow
def test_a_preset_is_not_overruled_by_the_constants(home):
    assert make_lists(home).returncode == 0
    trained = script("train.py", "--preset", "light", "--iterations", 1, "--workers", 0, "--out", "run", folder=home)
    assert trained.returncode == 0, trained.stderr
    config = (home / "run/config.yaml").read_text()
    assert "model: ssd300_efficientnet_lite0" in config
    assert "lr: 0.001" not in config
    assert "steps: 1\n" in config


@pytest.mark.slow
def test_data_is_also_taken_without_its_option(tmp_path):
    for name in ("train.py", "eval.py"):
        ran = script(name, "none", folder=tmp_path)
        assert (ran.returncode, "where: none" in ran.stderr) == (3, True), ran.stderr


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
def test_the_constants_of_pytorch_ssd300_are_the_defaults(name, words):
    shown = " ".join(script(name, "--help").stdout.split())
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("name", "words", "code", "part"),
    [
        ("create_data_list.py", ["--voc07_path", "none", "--voc12_path", "none"], 3, "no such folder"),
        ("create_data_list.py", [], 2, "--voc07_path and --voc12_path"),
        ("train.py", ["--data_folder", "none"], 3, "no such folder"),
        ("train.py", ["--bathc_size", "3"], 2, "Did you mean --batch_size?"),
        ("train.py", ["--batch-size", "many"], 2, "--batch-size"),
        ("train.py", ["--iterations", "0"], 2, "--iterations is 0"),
        ("train.py", ["--iteration", "5"], 2, "Did you mean --iterations?"),
        ("train.py", ["--decay_lr_at", "5", "3"], 2, "--decay_lr_at is 5 3; drops are steps from 1 on"),
        ("train.py", ["--keep_difficult", "maybe"], 2, "--keep_difficult: invalid choice"),
        ("train.py", ["--checkpoint"], 2, "--checkpoint: expected one argument"),
        ("create_data_list.py", ["--voc7_path", "a"], 2, "Did you mean --voc07_path?"),
        ("train.py", ["--lr", "-1"], 2, "--lr is -1.0"),
        ("detect.py", [], 2, "no image was named"),
        ("detect.py", ["none.jpg"], 3, "no such image"),
        ("detect.py", ["image.jpg", "--checkpoint", "none"], 4, "none"),
        ("eval.py", ["--min_score", "3"], 2, "--min_score is 3.0"),
        ("eval.py", ["--top-k", "0"], 2, "--top-k is 0"),
        ("eval.py", [], 3, "no data of a known format"),
    ],
)
def test_a_mistake_has_the_codes_and_words_of_the_command(tmp_path, monkeypatch, capsys, name, words, code, part):
    (tmp_path / "image.jpg").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *words])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / name), run_name="__main__")
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert error.startswith("ssd300: ")
    assert part in error
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["image.jpg"]


def test_help_does_not_import_torch():
    code = "import sys, runpy; sys.argv[1:] = ['--help']\ntry: runpy.run_path({!r}, run_name='__main__')\n"
    code += "except SystemExit: sys.exit('torch' in sys.modules)"
    for name in ("create_data_list.py", "train.py", "detect.py", "eval.py"):
        ran = subprocess.run([sys.executable, "-c", code.format(str(ROOT / name))], capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
