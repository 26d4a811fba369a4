import os

from ssd300.system import processors as module
from ssd300.system.processors import processors


def test_only_those_that_the_process_may_run_on(monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _process: {0, 3, 5}, raising=False)
    assert processors() == 3


def test_all_of_the_machine_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(module.os, "sched_getaffinity", raising=False)
    assert processors() == os.cpu_count()
