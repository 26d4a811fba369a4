import json
from dataclasses import replace

import pytest
import torch

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.evaluation.verification import verify
from ssd300.training.loop import train
from ssd300.training.presets import PRESETS
from ssd300.weights import load_weights, read_card, save_weights


@pytest.fixture
def run(coloured, tmp_path):
    options = {"steps": 3, "batch_size": 2, "workers": 0, "amp": "off", "init": "none", "ema": True}
    out = tmp_path / "run"
    train(
        load_dataset(coloured), replace(PRESETS["light"](out), **options),
        validation=load_dataset(coloured, purpose="test"),
    )  # fmt: skip
    return out


def held_out(coloured):
    return load_dataset(coloured, purpose="test")


@pytest.mark.slow
def test_an_unchanged_run_holds(run, coloured, capsys):
    result = verify(run, held_out(coloured))
    assert [check.difference for check in result.checks] == [0.0, 0.0]
    assert main(["verify", str(run), str(coloured), "--json", "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True


@pytest.mark.slow
def test_images_that_were_skipped_are_skipped_again(run, coloured, tmp_path, capsys):
    """One of the two held-out images is no image."""
    test = coloured / "ImageSets/Main/test.txt"
    test.write_text("p4\np3\n")
    (coloured / "ImageSets/Main/trainval.txt").write_text("p0\np1\np2\n")
    (coloured / "JPEGImages/p3.jpg").write_bytes(b"no image")
    options = {"steps": 1, "batch_size": 2, "workers": 0, "amp": "off", "init": "none", "on_bad_image": "skip"}
    train(
        load_dataset(coloured), replace(PRESETS["light"](tmp_path / "again"), **options),
        validation=load_dataset(coloured, purpose="test"),
    )  # fmt: skip
    words = ["verify", str(tmp_path / "again"), str(coloured), "--device", "cpu"]
    assert main([*words, "--on-bad-image", "skip"]) == 0
    assert main(words) == 3


@pytest.mark.slow
def test_a_summary_with_a_higher_map_does_not_hold(run, coloured, capsys):
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"map": summary["map"] + 0.01}))
    assert main(["verify", str(run), str(coloured), "--device", "cpu"]) == 1
    out = capsys.readouterr()
    assert out.out.count("does not hold: 0.01 apart") == 2
    assert "the run's mAP is not reproduced" in out.err


@pytest.mark.slow
def test_changed_detections_do_not_hold(run, coloured):
    lines = (run / "eval/detections.jsonl").read_text().splitlines()
    truth = held_out(coloured).annotations[0]
    x, y, right, bottom = truth.boxes_px[0]
    better = {"label": held_out(coloured).classes[truth.labels[0]], "score": 1.0,
              "box": {"xmin": x, "ymin": y, "xmax": right, "ymax": bottom}}  # fmt: skip
    row = json.loads(lines[0])
    (run / "eval/detections.jsonl").write_text(json.dumps(row | {"detections": [better]}) + "\n")
    assert [check.holds for check in verify(run, held_out(coloured)).checks] == [False, True]


@pytest.mark.slow
def test_other_weights_give_another_number(run, coloured):
    """Weights of no use find nothing; the run's summary is made to say that it found all."""
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"map": 1.0}))
    model, card = load_weights(run)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    (run / "weights/best.safetensors").unlink()
    save_weights(run / "weights/best.safetensors", model, card)
    assert not any(check.holds for check in verify(run, held_out(coloured)).checks)


@pytest.mark.slow
def test_other_data_a_run_without_evaluation_and_no_run(run, coloured, tmp_path, capsys):
    assert main(["verify", str(run), str(coloured), "--split", "trainval"]) == 3
    assert "other data" in capsys.readouterr().err
    (run / "command.txt").write_text(f"ssd300 train {coloured} --out {run}\n")
    assert main(["verify", str(run), str(coloured), "--split", "trainval"]) == 3
    assert f"For the data of the run type `ssd300 verify {run} {coloured}`." in capsys.readouterr().err
    data = json.loads((run / "data.json").read_text())
    (run / "data.json").write_text(json.dumps(data | {"validation": None}))
    assert main(["verify", str(run), str(coloured)]) == 2
    assert "measured no mAP" in capsys.readouterr().err
    assert main(["verify", str(tmp_path), str(coloured)]) == 4
    assert read_card(run).classes == ("blue", "red")


@pytest.mark.slow
def test_files_that_were_deleted_are_named_with_what_writes_them_again(run, coloured, capsys):
    command = "ssd300 train data --out run --preset light"
    (run / "command.txt").write_text(f"{command}\n")
    for name, advice in (
        ("eval/detections.jsonl", f"`ssd300 eval DATA --weights {run}`"),
        ("summary.json", f"`{command} --resume`"),
    ):
        (run / name).rename(run / "aside")
        for words in ([], [str(coloured)]):
            assert main(["verify", str(run), *words]) == 2
            assert advice in capsys.readouterr().err
        (run / "aside").rename(run / name)


SHORT = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--image-size", "64"]
SHORT += ["--workers", "0", "--amp", "off"]


@pytest.mark.slow
def test_a_run_of_some_classes_reads_those_classes_again(coloured, tmp_path, capsys):
    run = str(tmp_path / "run")
    assert main(["train", str(coloured), "--out", run, "--only", "red", *SHORT]) == 0
    data = json.loads((tmp_path / "run/data.json").read_text())
    assert (data["classes"], data["other_classes"]) == (["red"], ["blue"])
    assert main(["verify", run, str(coloured)]) == 0
    assert "the best weights, evaluated again" in capsys.readouterr().out


@pytest.mark.slow
def test_held_out_images_that_were_trained_on_are_left_out_again(coloured, tmp_path, capsys):
    run, lists = str(tmp_path / "run"), coloured / "ImageSets/Main"
    (lists / "test.txt").write_text((lists / "test.txt").read_text() + "p0\n")
    assert main(["train", str(coloured), "--out", run, *SHORT]) == 0
    assert "1 of 2 images of 'test' are trained on and left out of it: p0" in capsys.readouterr().err
    assert main(["verify", run, str(coloured), "--json"]) == 0
    out, err = capsys.readouterr()
    measured = json.loads((tmp_path / "run/data.json").read_text())["validation"]["images"]
    assert (measured, json.loads(out)["left_out"]) == (1, 1), "of the 2 images of the split"
    assert "1 image left out, as the run was trained on them" in err
    (tmp_path / "run/data.json").write_text(
        json.dumps(json.loads((tmp_path / "run/data.json").read_text()) | {"image_digests": ""})
    )
    assert main(["verify", run, str(coloured)]) == 3, "without their digests they are not recognized"
