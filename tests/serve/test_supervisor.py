"""A worker that dies is replaced, by its turn; a replacement that fails costs no other worker."""

import logging
import threading

import pytest
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Process

import ssd300.serve.supervisor as supervisor
from ssd300.errors import RunError


class FakeProcess(Process):
    """A worker as uvicorn's supervisor sees it. `born` are all, in the order of their starts."""

    born: list["FakeProcess"] = []  # noqa: RUF012  # emptied by the fixture
    pid: int | None = None
    exitcode: int | None = None

    def __init__(self, config, sockets):
        self.process = self.parent_conn = self
        self.answers = []

    def start(self):
        self.born.append(self)
        self.pid = len(self.born)

    def is_alive(self):
        return self.exitcode is None

    def send(self, _question):
        self.answers.append(True)

    def poll(self, _timeout):
        return bool(self.answers)

    def recv(self):
        return self.answers.pop()

    def kill(self):
        self.exitcode = -9 if self.exitcode is None else self.exitcode

    def join(self):
        pass


@pytest.fixture
def parent(monkeypatch):
    FakeProcess.born = []
    now = [0.0]
    monkeypatch.setattr(supervisor, "Worker", FakeProcess)
    monkeypatch.setattr("uvicorn.supervisors.multiprocess.SIGNALS", {})
    monkeypatch.setattr(supervisor, "mark_process_dead", lambda _: None)
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    parent = supervisor.Supervisor(Config("none", workers=2), [])
    parent.init_processes()

    def wait(seconds):
        for _ in range(int(2 * seconds)):
            now[0] += 0.5
            parent.keep_subprocess_alive()

    parent.wait_s = wait
    wait(1)
    return parent


def test_a_replacement_that_fails_is_tried_again_ever_later(parent, caplog):
    healthy, other = parent.processes
    other.exitcode = -9
    with caplog.at_level(logging.WARNING):
        for _ in range(10 * 120):
            parent.wait_s(0.5)
            if (latest := parent.processes[1]).pid > 2:
                latest.exitcode = STARTUP_FAILURE
    assert parent.processes[0] is healthy
    assert healthy.is_alive()
    assert not parent.should_exit.is_set()
    assert 10 <= len(FakeProcess.born) <= 20  # in ten minutes: not a busy loop
    assert "died (killed by SIGKILL, perhaps for lack of memory); 1 other goes on" in caplog.text
    assert "another try in 60 s" in caplog.text
    parent.wait_s(61)
    assert parent.processes[1].is_alive()  # it starts at last
    parent.check()


def test_one_that_lived_long_is_replaced_at_once(parent):
    for _ in range(5):
        parent.wait_s(70)
        parent.processes[1].exitcode = 1
        parent.wait_s(1.5)
        assert parent.processes[1].is_alive()


def test_one_that_does_not_answer_is_replaced(parent):
    hung = parent.processes[0]
    hung.send = lambda _: None
    parent.wait_s(parent.config.timeout_worker_healthcheck + 5)
    assert (hung.exitcode, parent.processes[0] is hung) == (-9, False)


@pytest.mark.parametrize(("code", "tries"), [(STARTUP_FAILURE, 2), (1, 2 * supervisor.FIRST_TRIES)])
def test_a_server_that_never_served_gives_up(parent, code, tries):
    parent._has_served, parent._places = False, {}  # as before the first answer
    for process in parent.processes:
        process.exitcode = code
    for _ in range(200):
        parent.wait_s(0.5)
        for process in parent.processes:
            process.exitcode = code
    assert parent.should_exit.is_set()
    assert len(FakeProcess.born) <= tries
    with pytest.raises(RunError, match=f"could not start .exit code {code}."):
        parent.check()


def test_ctrl_c_is_told(parent):
    assert isinstance(parent.should_exit, threading.Event)
    parent.handle_int()
    with pytest.raises(KeyboardInterrupt):
        parent.check()
