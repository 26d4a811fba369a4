"""The parent of the workers: one that dies is replaced, and a replacement that fails costs no other worker."""

import logging
import pickle
import signal
import time
from dataclasses import dataclass, field
from functools import cached_property

from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from ssd300.errors import RunError
from ssd300.serve.server import Server
from ssd300.system.wording import counted

STEADY_S = 60.0  # a worker that lived as long is replaced at once when it dies
LONGEST_WAIT_S = 60.0  # between two tries to replace a worker
FIRST_TRIES = 4  # of a worker's place before any worker has started

log = logging.getLogger(__name__)


@dataclass
class _Place:
    """What is known of the worker in one of the places: times are of the monotonic clock."""

    since: float = field(default_factory=lambda: time.monotonic())
    ready: bool = False
    asked: float | None = None  # when it was asked whether it is alive, without an answer so far
    failures: int = 0  # deaths in a row, each soon after the start
    next_try: float | None = None  # set while the worker is dead


class Worker(Process):
    """uvicorn's worker process, with our server."""

    @cached_property
    def server(self) -> Server:
        return Server(self.config)


class Supervisor(Multiprocess):
    """uvicorn's supervisor with patience: `check` reports how it ended."""

    def __init__(self, config: Config, sockets: list) -> None:  # type: ignore[type-arg]  # as its base has it
        super().__init__(config, sockets)
        self._places: dict[int, _Place] = {}
        self._has_served = self._interrupted = False
        self._failed: str | None = None

    def init_processes(self) -> None:
        for _ in range(self.processes_num):
            worker = Worker(self.config, self.sockets)
            worker.start()
            self.processes.append(worker)

    def handle_int(self) -> None:
        super().handle_int()
        self._stop_listening()
        self._interrupted = True

    def handle_term(self) -> None:
        super().handle_term()
        self._stop_listening()

    def check(self) -> None:
        if self._failed:
            raise RunError(f"the worker processes could not start ({self._failed})", fix="Their messages are above.")
        if self._interrupted:
            raise KeyboardInterrupt

    def keep_subprocess_alive(self) -> None:
        """Called twice a second. Waits for no worker, so that one that hangs keeps no other from its replacement."""
        for number, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            place = self._places.setdefault(number, _Place())
            if place.next_try is not None:
                if time.monotonic() >= place.next_try:
                    self._replace(number, place)
            elif not self._lives(process, place):
                self._bury(process, place)

    def _stop_listening(self) -> None:
        """The workers close their sockets; a connection that waited at this one would never be answered."""
        for listener in self.sockets:
            listener.close()

    def _lives(self, process: Process, place: _Place) -> bool:
        """Whether the worker runs, and has answered its last question in time."""
        if not process.process.is_alive():
            return False
        now = time.monotonic()
        try:
            if place.asked is None:
                process.parent_conn.send(b"ping")
                place.asked = now
            while process.parent_conn.poll(0):
                place.ready = process.parent_conn.recv() or place.ready
                place.asked = None
        except (OSError, EOFError, pickle.UnpicklingError):
            return False
        self._has_served = self._has_served or place.ready
        if place.ready and now - place.since > STEADY_S:
            place.failures = 0
        return place.asked is None or now - place.asked < self.config.timeout_worker_healthcheck

    def _bury(self, process: Process, place: _Place) -> None:
        """Say how the worker ended, and when its place is filled again; at the start, give up after a few tries."""
        hung = process.process.is_alive()
        process.kill()
        process.join()
        if process.pid is not None:
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]  # it has no types
        how = "it did not answer any more" if hung else _how(process.exitcode)
        place.failures += 1
        if not self._has_served and (process.exitcode == STARTUP_FAILURE or place.failures >= FIRST_TRIES):
            self._failed = how
            self.should_exit.set()
            return
        wait_s = 0.0 if place.failures == 1 else min(2.0 ** (place.failures - 1), LONGEST_WAIT_S)
        place.next_try = time.monotonic() + wait_s
        others = sum(other.ready and other.next_try is None for other in self._places.values())
        what = "died" if place.ready else "could not start"
        when = f"; another try in {wait_s:g} s" if wait_s else ""
        rest = counted(others, "{other goes|others go} on")
        log.warning("worker process %s %s (%s); %s%s", process.pid, what, how, rest, when)

    def _replace(self, number: int, place: _Place) -> None:
        old, new = self.processes[number], Worker(self.config, self.sockets)
        try:
            new.start()
        except OSError as error:  # no memory or no process left
            place.failures += 1
            wait_s = min(2.0 ** (place.failures - 1), LONGEST_WAIT_S)
            place.next_try = time.monotonic() + wait_s
            log.warning("no worker process could be started (%s); another try in %g s", error.strerror, wait_s)
            return
        self.processes[number] = new
        self._places[number] = _Place(failures=place.failures)
        log.warning("worker process %s replaces %s", new.pid, old.pid)


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else str(-exitcode)
        return f"killed by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
    return f"exit code {exitcode}"
