"""`ssd300 benchmark`: every setting is timed, and the recommended one is the fastest; no time is judged here."""

import json
import subprocess
import sys

import pytest
import torch

from ssd300.cli import main
from ssd300.detection.backends import backend_for
from ssd300.detection.benchmark import Networks, Setting, Speed, quickest_answer, recommended
from ssd300.system.environment import cpu_has_bf16

# All of torch.compile but its last stage, which writes C++ and takes a minute.
COMPILED_BY_HALF = """
import sys, torch
from functools import partial
from ssd300.cli import main
torch.compile = partial(torch.compile, backend="aot_eager", fullgraph=True)
sys.exit(main(sys.argv[1:]))
"""


def speed(batch, threads, images_per_second):
    setting = Setting(batch=batch, threads=threads, precision="float32")
    return Speed(setting=setting, images_per_second=images_per_second, slowest=1.0, fastest=99.0)


def test_the_fastest_is_recommended_and_noise_does_not_decide():
    speeds = [speed(1, 1, 10.0), speed(1, 2, 19.0), speed(8, 2, 20.0), speed(16, 2, 20.4)]
    assert recommended(speeds) is speeds[2]
    assert quickest_answer(speeds) is speeds[1]
    assert quickest_answer(speeds[2:]) is None


@pytest.mark.slow
def test_every_setting_is_timed(light_run, coloured, capsys):
    before = torch.get_num_threads()
    words = ["benchmark", str(coloured / "JPEGImages"), "-w", str(light_run), "--rounds", "1", "--json"]
    precisions = ["float32", *(["bfloat16"] if cpu_has_bf16() else [])]  # emulated it takes minutes
    assert main([*words, "--batch-size", "1", "3", "--threads", "1", "2", "--precision", *precisions]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["stages_ms"]) == ["decode", "preprocess", "network", "select"]
    assert all(value > 0 for value in told["stages_ms"].values())
    rows = told["throughput"]
    settings = {(row["precision"], row["threads"], row["batch"]) for row in rows}
    assert settings == {(name, count, batch) for name in precisions for count in (1, 2) for batch in (1, 3)}
    assert told["recommended"] in rows
    assert told["quickest_answer"]["batch"] == 1
    assert told["peak_memory_bytes"] > 100e6
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("ending", ["onnx", "xml"])
@pytest.mark.slow
def test_exported_files_are_timed_too(ending, exported, capsys):
    words = ["benchmark", "-w", str(exported[ending]), "--rounds", "1", "--batch-size", "1", "2"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert "synthetic ones are used" in printed.err
    assert "fastest: fp32" in printed.out
    assert "peak memory" in printed.out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rounds", "0"], "--rounds is 0"),
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--threads", "-1"], "--threads is -1"),
        (["nowhere.jpg"], "no such"),
    ],
)
def test_mistakes(more, message, light_run, capsys):
    assert main(["benchmark", *more, "-w", str(light_run)]) in (2, 3)
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_torch_is_not_asked_of_an_exported_file(exported, capsys):
    assert main(["benchmark", "-w", str(exported["onnx"]), "--compile"]) == 2
    assert "cannot be compiled" in capsys.readouterr().err


def test_threads_are_set_back_after_an_error(light_run):
    before = torch.get_num_threads()
    with pytest.raises(KeyError), backend_for(light_run).running_on(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_the_seconds_of_compiling_are_told(light_run, monkeypatch):
    lines = []
    networks = Networks(str(light_run), "cpu", lines.append)
    monkeypatch.setattr(networks._backend, "compile", lambda network, batch: 61.25)
    for compiled in (False, True, True):
        networks.of(Setting(batch=4, threads=2, precision="float32", compiled=compiled))
    assert lines == ["compiled for batches of 4, 2 threads, in 61.2 s"]


@pytest.mark.slow
def test_the_compiled_network_detects_the_same(light_run, voc_sample, tmp_path):
    photos = [str(path) for path in sorted(voc_sample.glob("VOC*/JPEGImages/*.jpg"))[:3]]
    words = ["detect", *photos, "-w", str(light_run), "--min-score", "0.9", "--top-k", "20", "--batch-size", "2"]
    # in a process of its own, where no types are checked, which torch.compile cannot read
    command = [sys.executable, "-c", COMPILED_BY_HALF, *words, "--compile", "--out", str(tmp_path / "compiled")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "compiled in" in done.stderr
    assert main([*words, "--out", str(tmp_path / "plain")]) == 0
    rows = [
        [json.loads(line) for line in (tmp_path / name / "detections.jsonl").read_text().splitlines()]
        for name in ("compiled", "plain")
    ]
    for one, other in zip(*rows, strict=True):
        scores = [[found["score"] for found in row["detections"]] for row in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-3)
