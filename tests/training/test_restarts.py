"""Restarts by torchrun, of two processes on this machine with gloo. What they run is in processes.py."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from run_weights import LAST, LAST_AVERAGED, assert_equal_weights
from ssd300.errors import UsageError
from ssd300.run_layout import LAUNCH, STATE
from ssd300.system.processes import launch_id
from ssd300.training.distributed import ALONE
from ssd300.training.launch import is_own, make_own
from ssd300.training.lock import sole_use
from ssd300.training.loop import train
from ssd300.training.meeting import meet
from training.test_distributed import run

OPTIONS = {"steps": 5, "batch_size": 2, "image_size": 64, "save_every": 2, "workers": 1, "ema": True}


@pytest.fixture
def launched(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job1")


@pytest.mark.slow
def test_a_killed_process_restarts_all_and_the_weights_are_those_of_an_undisturbed_run(coloured, tmp_path):
    """First the second process, before a state was saved; then the main one, after it. What reads images for the main
    one is left behind, and with it the lock.
    """
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(2, coloured, whole, OPTIONS).returncode == 0
    ended = run(2, coloured, killed, OPTIONS, "--max-restarts", "2", kills=[[1, 1], [0, 3]])
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("(exitcode: -9)") == 2
    assert ended.stderr.count("resumed after step") == ended.stderr.count("resumed after step 2") == 1
    for name in (LAST, LAST_AVERAGED):
        assert_equal_weights(whole, killed, name)
    rows = [json.loads(line) for line in (killed / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 5], "a row per step, and one of the evaluation"
    assert not list(killed.rglob(".*.partial"))


@pytest.mark.slow
def test_a_restart_leaves_a_folder_alone_that_its_launch_did_not_begin(coloured, tmp_path):
    out = tmp_path / "other"
    out.mkdir()
    (out / "mine.txt").touch()
    ended = run(2, coloured, out, OPTIONS, "--max-restarts", "1")
    assert ended.returncode != 0
    assert ended.stderr.count("UsageError: ") >= 2, "both starts were refused"
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_folder_is_of_the_launch_that_wrote_there_last(tmp_path, monkeypatch, launched):
    assert not is_own(tmp_path)
    make_own(tmp_path)
    assert is_own(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job2")
    assert not is_own(tmp_path)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    assert not is_own(tmp_path)
    make_own(tmp_path)
    assert not (tmp_path / LAUNCH).exists(), "a run without torchrun is of no launch"


def test_a_launch_without_an_id_is_known_by_the_process_that_started_it(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert str(os.getppid()) in launch_id()


@pytest.mark.slow
def test_the_same_launch_goes_on_without_resume_and_another_one_is_refused(
    config, data, tmp_path, monkeypatch, launched
):
    options = config(tmp_path / "run", steps=3, image_size=64)
    train(data, options, stop_after=1)
    assert train(data, options, stop_after=2)["steps"] == 2
    assert "resumed after step 1" in (tmp_path / "run/train.log").read_text()
    shutil.rmtree((tmp_path / "run" / STATE).parent)
    assert train(data, options)["steps"] == 3, "without a state, from the start"
    assert "resumed" not in (tmp_path / "run/train.log").read_text()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job2")
    with pytest.raises(UsageError, match="not empty"):
        train(data, options)


def test_a_restart_waits_for_the_lock_that_a_killed_process_left(tmp_path, monkeypatch, launched):
    make_own(tmp_path)
    code = "import sys; from pathlib import Path; from ssd300.system.lock import Lock; p = Path(sys.argv[1])\n"
    code += "lock = Lock(p, output=p, instead=p); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        monkeypatch.setattr("ssd300.training.lock.KILLED_S", 0.1)
        with pytest.raises(UsageError, match="another run"), sole_use(tmp_path, ALONE, resume=True, overwrite=False):
            pass
        monkeypatch.setattr("ssd300.training.lock.KILLED_S", 30.0)
        timer = threading.Timer(0.3, holder.stdin.close)
        timer.start()
        with sole_use(tmp_path, ALONE, resume=True, overwrite=False) as resumed:
            assert resumed
        timer.join()


def names_of_a_start(store, order: Sequence[int]) -> list[str]:
    """What each of these processes finds, each of which comes when those before it are waiting."""
    with ThreadPoolExecutor(len(order)) as pool:
        found = []
        for rank in order:
            found.append(pool.submit(meet, store, rank, len(order)))
            time.sleep(0.1)
        return [one.result(10) for one in found]


@pytest.mark.slow
def test_processes_that_start_again_meet_under_a_new_name_though_the_store_has_words_of_the_dead():
    store = torch.distributed.HashStore()
    starts = [names_of_a_start(store, order) for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 1), (0, 2, 1))]
    assert all(len(set(names)) == 1 for names in starts), "all processes of a start have one name"
    assert len({names[0] for names in starts}) == len(starts)
