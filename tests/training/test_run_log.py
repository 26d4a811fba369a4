import logging
import sys

import pytest
import torch

from ssd300.training import precision
from ssd300.training.loop import train
from ssd300.training.run_log import RunLog

log = logging.getLogger("ssd300.training.test")


def test_the_log_has_what_is_logged_in_its_block_and_the_level_is_restored(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ssd300", "train", "my data"])
    level = logging.getLogger("ssd300").level
    for number, append in ((1, False), (2, True)):
        with RunLog(tmp_path) as run_log:
            log.info("before %d", number)
            assert not run_log.is_open
            run_log.start(append=append)
            assert run_log.is_open
            log.info("during %d", number)
        log.info("after")
        assert not run_log.is_open
    assert (tmp_path / "train.log").read_text() == "before 1\nduring 1\nbefore 2\nduring 2\n"
    assert (tmp_path / "command.txt").read_text() == "ssd300 train 'my data'\n" * 2
    assert logging.getLogger("ssd300").level == level


def test_a_log_that_was_not_started_writes_nothing(tmp_path):
    with RunLog(tmp_path):
        log.info("before")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_log_has_the_start_the_timing_of_precisions_and_what_a_resumed_run_keeps(
    config, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    log_file = tmp_path / "run/train.log"
    for bf16_seconds in (0.5, 2.0):
        seconds = {torch.float32: 1.0, torch.bfloat16: bf16_seconds}
        monkeypatch.setattr(precision, "step_seconds", lambda model, dtype, seconds=seconds: seconds[dtype])
        resumed = log_file.exists()
        summary = train(data, config(tmp_path / "run", amp="auto"), stop_after=1 + resumed, resume=resumed)
        assert summary["precision"] == "bfloat16"
    first, second = log_file.read_text().split("resumed after step 1")
    assert "start: " in first
    assert "--amp auto: bfloat16, as a step of 2 images takes 500 ms in bfloat16 and 1000 ms in float32" in first
    assert "--amp auto: float32" in first  # of the second run, before it says that it was resumed
    assert first.count("the run keeps bfloat16, with which it began") == 1
    assert "step 2/" in second
