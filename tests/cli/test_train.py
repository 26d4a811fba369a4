"""What is trained on and what is evaluated on, as the options of `ssd300 train` choose it; one step each."""

import json
import shlex
import shutil

import pytest

from ssd300.cli import main
from ssd300.weights import read_card

FROM_A_START = ["--preset", "light", "--workers", "0", "--batch-size", "2", "--steps", "1"]
ONE_STEP = ["--preset", "light", "--init", "none", *FROM_A_START[2:]]


def train(data, out, *words, of=ONE_STEP):
    assert main(["train", str(data), "--out", str(out), *of, *words]) == 0
    return json.loads((out / "data.json").read_text())


@pytest.mark.slow
def test_a_share_of_the_images_is_held_out_and_the_same_again(coloured, tmp_path, capsys):
    first = train(coloured, tmp_path / "a", "--holdout", "0.4")
    assert first["images"] + first["validation"]["images"] == 4  # of trainval
    assert first["validation"]["split"] == "holdout"
    err = capsys.readouterr().err
    assert "held out: 2 of 4 images" in err
    assert "not used: the split test" in err
    for command in err.split("to measure on these images again:\n")[1].splitlines()[:2]:
        assert main(shlex.split(command)[1:]) == 0
    assert f" on {first['validation']['images']} images" in capsys.readouterr().out
    again = train(coloured, tmp_path / "b", "--holdout", "0.4")
    assert again["validation"]["fingerprint"] == first["validation"]["fingerprint"]


@pytest.mark.slow
def test_the_split_to_evaluate_on_can_be_named_and_classes_chosen(coloured, tmp_path, capsys):
    lists = coloured / "ImageSets/Main"
    (lists / "train.txt").write_text("p0\np1\n")
    (lists / "night.txt").write_text("p3\n")
    found = train(coloured, tmp_path / "a", "--split", "train", "--eval-split", "night", "--only", "Blue")
    assert (found["split"], found["validation"]["split"]) == ("train", "night")
    assert found["objects"] == {"blue": 1}
    assert found["validation"]["objects"] == {"blue": 1}
    assert "excluded: 1 object of other classes, by --only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--holdout", "0.2", "--eval-split", "test"], 2, "exclude each other"),
        (["--holdout", "1.5"], 2, "--holdout is 1.5; it must be between 0 and 1"),
        (["--eval-split", "nowhere"], 3, "there is no split 'nowhere'"),
        (["--only", "green"], 3, "--only names green, which is no class of the data"),
    ],
)
def test_what_cannot_be_chosen_is_refused_before_anything_is_written(coloured, tmp_path, capsys, words, code, message):
    assert main(["train", str(coloured), "--out", str(tmp_path / "r"), *ONE_STEP, *words]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_images_without_any_object_are_not_trained_on(coloured, tmp_path, capsys):
    for file in (coloured / "Annotations").glob("*.xml"):
        file.write_text("<annotation></annotation>")
    assert main(["train", str(coloured), "--out", str(tmp_path / "r"), *ONE_STEP]) == 3
    assert "has an object to train on" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_of_more_than_a_week_is_refused_without_yes(coloured, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ssd300.training.too_long.WEEK_S", 60.0)
    monkeypatch.setattr("ssd300.training.too_long.TIMED_S", 0.0)
    out = tmp_path / "r"
    words = ["train", str(coloured), "--out", str(out), *ONE_STEP[:-1], "20000"]
    assert main(words) == 2
    assert "Add --yes" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, "--stop-after", "1"]) == 0  # a run is as long as its last step is far
    assert main([*words, "--overwrite", "--yes", "--stop-after", "1"]) == 0


@pytest.mark.slow
def test_a_command_without_a_preset_says_which_it_gets(coloured, tmp_path, capsys):
    words = ["train", str(coloured), "--out", str(tmp_path / "r"), "--device", "cpu", *ONE_STEP[2:]]
    assert main(words) == 0
    assert "preset best, as there is no GPU" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert "preset best, that of the run" in capsys.readouterr().err


@pytest.mark.slow
def test_a_dry_run_says_what_the_start_fills_and_writes_nothing(coloured, light_run, tmp_path, capsys):
    words = ["--out", str(tmp_path / "r"), *FROM_A_START, "--init", str(light_run), "--default-boxes", "start"]
    assert main(["train", str(coloured), *words, "--dry-run", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["steps"] == 1
    assert f"start: {light_run / 'weights' / 'best.safetensors'} fills" in shown.err
    assert "classes: 2 of 2 continue those of the file" in shown.err
    assert not (tmp_path / "r").exists()


def test_default_boxes_of_a_backbone_are_refused_with_the_other_mistakes(tmp_path, capsys):
    words = ["--preset", "best", "--default-boxes", "start", "--out", str(tmp_path / "r")]
    assert main(["train", str(tmp_path / "nowhere"), *words]) == 2
    assert "--default-boxes start needs a detector to start from, and --init is imagenet" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_with_the_boxes_of_a_start_that_is_gone_goes_on(coloured, light_run, tmp_path, capsys):
    start, out = tmp_path / "start", tmp_path / "r"
    light_run.rename(start)
    words = ["--default-boxes", "start", "--init"]
    boxes = read_card(start / "weights" / "best.safetensors").settings
    train(coloured, out, *words, str(start), of=FROM_A_START)
    shutil.rmtree(start)
    resumed = ["train", str(coloured), "--out", str(out), *FROM_A_START[:-1], "2", "--resume", "--override", *words]
    assert main([*resumed, str(start)]) != 0
    assert main([*resumed, str(out)]) == 0
    assert read_card(out / "weights" / "last.safetensors").settings == boxes
