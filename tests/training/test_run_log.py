import logging
import sys

from ssd300.training.run_log import RunLog

log = logging.getLogger("ssd300.training.test")


def test_the_log_has_what_is_logged_between_start_and_end_and_the_level_is_restored(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ssd300", "train", "my data"])
    level = logging.getLogger("ssd300").level
    run_log = RunLog(tmp_path)
    for number, append in ((1, False), (2, True)):
        run_log.start(append=append)
        assert run_log.is_open
        log.info("during %d", number)
        run_log.end()
        log.info("after")
    assert not run_log.is_open
    assert (tmp_path / "train.log").read_text() == "during 1\nduring 2\n"
    assert (tmp_path / "command.txt").read_text() == "ssd300 train 'my data'\n" * 2
    assert logging.getLogger("ssd300").level == level
    run_log.end()  # a second time does nothing
