import json
import logging
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.training import demo as demo_module
from ssd300.training.callbacks import Callback
from ssd300.training.demo import FEWEST, MOST, SHOWN, forecast_in_words, run_demo, steps_within


@pytest.fixture
def tiny(monkeypatch):
    for name, value in {"TRAINING_IMAGES": 4, "TEST_IMAGES": 3, "SHOWN": 2, "BATCH_SIZE": 2}.items():
        monkeypatch.setattr(demo_module, name, value)


class SignalAtStep(Callback):
    def __init__(self, step, number):
        self.step, self.number = step, number

    def on_step(self, row):
        if row.step == self.step:
            signal.raise_signal(self.number)


@pytest.mark.slow
def test_after_ctrl_c_in_training_the_demo_goes_on_and_prints_commands_that_work(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_demo(Path("demo"), steps=3, callbacks=[SignalAtStep(1, signal.SIGINT)])
    made = (tmp_path / "demo/data/JPEGImages/test_0000.jpg").stat().st_mtime_ns
    assert main(["demo"]) == 0  # also without the number of steps, which is stored
    out, err = capsys.readouterr()
    assert "resuming the demo" in err
    assert "resumed after step 1" in err
    assert "augment=False" in err
    assert (tmp_path / "demo/data/JPEGImages/test_0000.jpg").stat().st_mtime_ns == made
    assert out.splitlines()[0].endswith("on 3 held-out images after 3 steps")
    assert out.splitlines()[1] == "report: demo/report.html"
    assert main(["demo"]) == 2
    assert "--out demo-2" in capsys.readouterr().err
    commands = [shlex.split(line[line.index("ssd300 ") :])[1:] for line in out.splitlines() if "  ssd300 " in line]
    assert [words[0] for words in commands] == ["detect", "train", "serve"]
    assert main(commands[0]) == 0
    assert main([*commands[1], "--steps", "1", "--batch-size", "2"]) == 0


@pytest.mark.parametrize(("step_s", "steps"), [(0.01, MOST), (1.0, FEWEST), (0.9, 94), (60.0, FEWEST)])
def test_the_steps_fit_into_the_time_within_bounds(step_s, steps):
    assert steps_within(85.0, step_s) == steps


def test_a_slow_machine_is_told_why_it_takes_long_and_what_is_shorter():
    assert forecast_in_words(FEWEST, 0.9) == [f"a step of 8 images takes 0.90 s here: {FEWEST} steps, about 1 min 21 s"]
    length, reason, shorter = forecast_in_words(FEWEST, 9.66)
    assert length.endswith("about 14 min 29 s")
    assert "slow, or busy" in reason
    assert "--steps 45 --overwrite" in shorter


@pytest.mark.slow
def test_steps_are_timed_without_a_log_of_the_start(tiny, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(demo_module, "TIMED_S", 0.0)
    monkeypatch.setattr(demo_module, "FEWEST", 1)
    monkeypatch.setattr(demo_module, "TRAINING_S", 1e-3)
    with caplog.at_level(logging.INFO):
        assert run_demo(tmp_path / "demo")["steps"] == 1
    assert caplog.text.count("start: ") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("phase", ["demo", "drawing"])
def test_a_signal_before_training_ends_without_a_traceback(tmp_path, phase, number, code):
    words = [sys.executable, "-m", "ssd300", "demo", "--out", str(tmp_path / "demo")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        seen = ""
        while phase not in seen.lower():
            seen += process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, seen + err
    assert "Traceback" not in err
    assert "the same command resumes" in err
    assert out == ""


@pytest.mark.slow
def test_the_demo_learns_and_reports(tmp_path, capsys):
    """All of it, as the command runs it, in this process."""
    out = tmp_path / "demo"
    before = time.process_time()
    assert main(["demo", "--out", str(out), "--json", "--steps", "60"]) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["metric"] == "voc07_11pt@0.5"
    assert summary["images"] == 60
    assert summary["map"] >= 0.8, f"after {time.process_time() - before:.0f} s of CPU time"
    report = (out / "report.html").read_text(encoding="utf-8")
    assert f"{summary['map']:.3f}" in report
    assert "http://" not in report
    assert "https://" not in report
    rows = [json.loads(line) for line in (out / "detections/detections.jsonl").read_text().splitlines()]
    assert len(rows) == SHOWN
    assert sum(len(row["detections"]) for row in rows) > SHOWN
    for row in rows:
        with Image.open(out / "detections" / Path(row["image"]).name) as image:
            assert image.size == (row["width"], row["height"])
    for name in ("data/ImageSets/Main/test.txt", "lists/TRAIN_objects.json", "lists/TEST_images.json",
                 "run/report.html", "run/train.log", "run/command.txt", "run/weights/best.safetensors"):  # fmt: skip
        assert (out / name).is_file(), name
