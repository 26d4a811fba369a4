"""Several processes make the run of one. On CPU with gloo; with NCCL the code is the same."""

import json
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from ssd300.data.loader import EndlessBatches
from ssd300.training.distributed import World
from ssd300.weights import load_weights
from training.torchrun import torchrun

OPTIONS = {"init": "none", "workers": 0, "amp": "off", "log_every": 1, "warmup_steps": 0, "lr": 1e-3}


def run(processes: int, data: Path, out: Path, options: dict, *starting: str, **others) -> subprocess.CompletedProcess:
    """A run in so many processes; `starting` are options of torchrun, `others` are arguments of `train`."""
    words = [data, out, json.dumps(OPTIONS | options), json.dumps(others)]
    return torchrun(processes, Path(__file__).with_name("processes.py"), *words, options=starting)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_weights(out / "weights/last.safetensors")[0].state_dict()


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pieces_are_all_of_it_in_order_and_differ_by_one_at_most(size):
    for count in range(12):
        pieces = [World(rank, size).piece(count) for rank in range(size)]
        assert [item for piece in pieces for item in range(count)[piece]] == list(range(count))
        lengths = [len(range(count)[piece]) for piece in pieces]
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(("count", "parts"), [(12, 1), (12, 4), (7, 2), (9, 3), (32, 5)])
def test_a_part_of_a_batch_has_the_same_rows_for_any_number_of_processes(size, count, parts):
    rows = [World(rank, size).rows(count, parts) for rank in range(size)]
    alone = World().rows(count, parts)
    for part in range(parts):
        assert sorted(chain(*(own[part] for own in rows))) == list(alone[part])
        assert all(own[part] for own in rows), "each process has an image of each part"
    assert [row for part in alone for row in part] == list(range(count))
    for lengths in ([len(part) for part in alone], *([len(own[part]) for own in rows] for part in range(parts))):
        assert max(lengths) - min(lengths) <= 1
    images = [sum(map(len, own)) for own in rows]
    assert max(images) - min(images) <= 1, "no process has the longer pieces of all parts"


def test_the_processes_of_a_run_see_the_batches_of_one():
    whole = EndlessBatches(7, batch_size=5, seed=3)
    rows = [list(chain(*World(rank, 2).rows(5, 2))) for rank in range(2)]
    pieces = [EndlessBatches(7, batch_size=5, seed=3, rows=own) for own in rows]
    for batch, first, second in zip(whole, *pieces, strict=False):
        assert sorted(batch) == sorted(first + second)
        if batch[-1][0] > 3:
            break


@pytest.mark.slow
def test_two_processes_give_the_weights_and_the_map_of_one(coloured, tmp_path):
    """VGG16, as batch normalisation takes its means over the images of one process. Three images for two processes,
    one of them without objects; an evaluation of a single image, so that one process has none.
    """
    options = {"model": "ssd300_vgg16", "steps": 2, "batch_size": 3}
    assert run(1, coloured, tmp_path / "one", options).returncode == 0
    ended = run(2, coloured, tmp_path / "two", options)
    assert ended.returncode == 0, ended.stderr
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-6, msg=name)
    files = [tmp_path / name / "metrics.jsonl" for name in ("one", "two")]
    rows = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    for first, second in zip(*rows, strict=True):
        assert first.keys() == second.keys()
        for name in ("localization", "classification", "map"):
            assert np.isclose(first.get(name) or 0, second.get(name) or 0, rtol=1e-4)
    summary = json.loads((tmp_path / "two/summary.json").read_text())
    assert (summary["images"], summary["steps"], summary["images_seen"]) == (1, 2, 6)


@pytest.mark.slow
def test_runs_of_two_processes_resume_bit_for_bit_and_with_another_number(coloured, tmp_path):
    options = {"steps": 4, "batch_size": 2, "image_size": 64}
    assert run(2, coloured, tmp_path / "whole", options).returncode == 0
    assert run(2, coloured, tmp_path / "parts", options, stop_after=2).returncode == 0
    shutil.copytree(tmp_path / "parts", tmp_path / "alone")
    assert run(2, coloured, tmp_path / "parts", options, resume=True).returncode == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())
    assert run(1, coloured, tmp_path / "alone", options, resume=True).returncode == 0
    assert json.loads((tmp_path / "alone/summary.json").read_text())["images_seen"] == 8


@pytest.mark.slow
def test_a_batch_that_has_no_image_for_a_process_is_refused(coloured, tmp_path):
    ended = run(2, coloured, tmp_path / "run", {"steps": 1, "batch_size": 1})
    assert ended.returncode != 0
    assert "a batch of 1 has no image for each of 2 processes in 1 part" in ended.stderr
