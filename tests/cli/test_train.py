"""What is trained on and what is evaluated on, as the options of `ssd300 train` choose it; one step each."""

import json
import shlex

import pytest

from ssd300.cli import main

ONE_STEP = ["--preset", "light", "--init", "none", "--workers", "0", "--batch-size", "2", "--steps", "1"]


def train(data, out, *words):
    assert main(["train", str(data), "--out", str(out), *ONE_STEP, *words]) == 0
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
def test_a_dry_run_says_what_the_start_fills_and_writes_nothing(coloured, tmp_path, capsys):
    words = ["--out", str(tmp_path / "r"), *ONE_STEP, "--dry-run", "--json"]
    assert main(["train", str(coloured), *words]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["steps"] == 1
    assert "start: none fills 0 layers" in shown.err
    assert not (tmp_path / "r").exists()
