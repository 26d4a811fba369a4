import json
import os
import signal
import subprocess
import sys

import pytest

from ssd300.cli import main


def run(capsys, *words):
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_does_not_import_torch():
    code = "import sys; from ssd300.cli import main; main(sys.argv[1:]); sys.exit('torch' in sys.modules)"
    for words in (["--help"], ["train", "--help"], ["eval", "--help"]):
        assert subprocess.run([sys.executable, "-c", code, *words], capture_output=True).returncode == 0


def test_train_eval_detect_info(coloured, tmp_path, capsys):
    run_folder = tmp_path / "run"
    code, out, _ = run(
        capsys, "train", coloured, "--out", run_folder, "--preset", "light", "--init", "none", "--steps", 1,
        "--batch-size", 2, "--workers", 0, "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["steps"] == 1
    assert "ssd300" in (run_folder / "command.txt").read_text() or (run_folder / "command.txt").read_text()
    code, out, _ = run(capsys, "eval", coloured, "--weights", run_folder, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["metric"] == "voc07_11pt@0.5"
    assert report["per_class"]["red"]["objects"] == 1
    assert report["map"] == pytest.approx(json.loads((run_folder / "summary.json").read_text())["map"], abs=0.2)
    image = coloured / "JPEGImages/p1.jpg"
    code, out, _ = run(capsys, "detect", image, "-w", run_folder, "--out", tmp_path / "found", "--min-score", 0)
    assert code == 0
    row = json.loads((tmp_path / "found/detections.jsonl").read_text())
    assert (row["width"], row["height"]) == (160, 120)
    assert set(row["detections"][0]) == {"label", "label_id", "score", "box"}
    assert (tmp_path / "found/p1.jpg").is_file()
    code, out, _ = run(capsys, "info", run_folder, "--json")
    assert json.loads(out)["classes"] == ["blue", "red"]


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["trian"], 2, ["Did you mean", "train"]),
        (["train", "{data}", "--out", "{tmp}/r", "--stepps", "3"], 2, ["--stepps", "--steps"]),
        (["train", "{data}"], 2, ["--out"]),
        (["train", "{tmp}/none", "--out", "{tmp}/r"], 3, ["no such folder", "none"]),
        (["train", "{data}", "--out", "{tmp}/r", "--lr", "-1"], 2, ["lr is -1.0"]),
        (["eval", "{data}", "--weights", "{tmp}/none"], 4, ["no such weights", "none"]),
        (["eval", "{data}"], 2, ["--weights or --predictions"]),
        (
            ["eval", "{data}", "--weights", "{tmp}/none", "--min-score", "7"],
            2,
            ["--min-score is 7.0; it must be", "no such weights"],
        ),
        (["detect", "{tmp}/none.jpg", "--weights", "{tmp}/none"], 3, ["no such image"]),
        (["detect", "--weights", "{tmp}/none"], 2, ["no image was named"]),
        (["prepare", "--out", "{tmp}/lists"], 2, ["--voc07"]),
        (["info", "{tmp}"], 4, ["weights/best.safetensors"]),
    ],
)
def test_mistakes(coloured, tmp_path, capsys, words, code, parts):
    words = [word.format(data=coloured, tmp=tmp_path) for word in words]
    before = sorted(tmp_path.iterdir())
    got, out, err = run(capsys, *words)
    assert got == code
    assert out == ""
    assert "Traceback" not in err
    for part in parts:
        assert part in err
    assert sorted(tmp_path.iterdir()) == before  # nothing half-written


def test_the_names_of_the_package_are_what_the_readme_calls():
    import ssd300
    import ssd300.evaluation.evaluator

    assert callable(ssd300.evaluate)
    assert set(ssd300.__all__) <= set(dir(ssd300)) | set(ssd300._HOMES) | {"presets"}
    for name in ssd300.__all__:
        assert getattr(ssd300, name).__name__.rpartition(".")[2] == name


def test_sigterm_ends_a_verb_with_its_own_code(monkeypatch, capsys):
    monkeypatch.setattr("ssd300.system.environment.environment", lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert run(capsys, "env") == (143, "", "ssd300: terminated\n")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("raised", "parts"),
    [
        (OSError(28, "No space left on device", "state.pt"), ["No space left", "state.pt", "space on the disk"]),
        (ImportError("ssd300_efficientnet_lite0 needs timm"), ["needs timm"]),
    ],
)
def test_a_fault_of_the_machine_is_told_without_a_traceback(monkeypatch, capsys, raised, parts):
    def fail():
        raise raised

    monkeypatch.setattr("ssd300.system.environment.environment", fail)
    code, out, err = run(capsys, "env")
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert all(part in err for part in parts)
    with pytest.raises(type(raised)):
        main(["env", "--debug"])


@pytest.mark.slow
def test_epochs_are_whole_steps_over_the_images(coloured, tmp_path, capsys):
    words = ["train", coloured, "--preset", "light", "--init", "none", "--workers", 0, "--batch-size", 3]
    code, out, _ = run(capsys, *words, "--out", tmp_path / "r", "--epochs", 0.9, "--json")
    assert (code, json.loads(out)["steps"]) == (0, 2)  # 0.9 times four images, three at a time
    assert run(capsys, *words, "--out", tmp_path / "s", "--epochs", 1, "--steps", 3)[0] == 2


def test_suppressed_classes_are_neither_drawn_nor_written(coloured, light_run, tmp_path, capsys):
    image, out = coloured / "JPEGImages/p1.jpg", tmp_path / "found"
    words = ["detect", image, "-w", light_run, "--out", out, "--min-score", 0]
    assert run(capsys, *words, "--suppress", "blue")[0] == 0
    row = json.loads((out / "detections.jsonl").read_text())
    assert {found["label"] for found in row["detections"]} == {"red"}
    assert run(capsys, *words, "--only", "red", "--overwrite")[0] == 0
    assert json.loads((out / "detections.jsonl").read_text()) == row
    code, _, err = run(capsys, *words, "--suppress", "bleu", "--overwrite")
    assert (code, "no class 'bleu'" in err) == (2, True)


@pytest.mark.slow
def test_images_that_are_trained_on_are_not_evaluated_on_and_how_to_hold_some_out_is_said(coloured, tmp_path, capsys):
    for path in (coloured / "ImageSets/Main").glob("*.txt"):
        path.unlink()
    words = ["train", coloured, "--preset", "light", "--init", "none", "--workers", 0, "--batch-size", 2, "--steps", 1]
    code, out, err = run(capsys, *words, "--out", tmp_path / "r", "--json")
    assert (code, json.loads(out)["map"]) == (0, None)
    assert "nothing will be measured" in err
    assert "--holdout 0.2" in err


def test_override_without_resume_is_refused(coloured, tmp_path, capsys):
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), "--override"]) == 2
    assert "--override goes with --resume" in capsys.readouterr().err
