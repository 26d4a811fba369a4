"""Several processes that serve one address, each with its own copy of the weights."""

import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from ssd300.errors import RunError, SSDError
from ssd300.serve.app import make_app
from ssd300.serve.counters import SHARED_FOLDER
from ssd300.serve.process import Source, load, uvicorn_config
from ssd300.serve.settings import ServeSettings

log = logging.getLogger(__name__)


def run_workers(source: Source, settings: ServeSettings, listener: socket.socket, *, workers: int) -> None:
    """Serve with this many processes, two or more, until a signal; one that dies is replaced.

    Raises:
        RunError: a process could not start.
        KeyboardInterrupt: after Ctrl-C, when all processes have ended.
    """
    with _shared_counts():
        config = uvicorn_config(partial(_worker_app, source, settings), settings, workers=workers)
        supervisor = _Supervisor(config, sockets=[listener])
        supervisor.run()
    supervisor.check()


class _Supervisor(Multiprocess):
    """uvicorn's supervisor, which can report how it ended."""

    _interrupted = False

    def handle_int(self) -> None:
        super().handle_int()
        self._stop_listening()
        self._interrupted = True

    def handle_term(self) -> None:
        super().handle_term()
        self._stop_listening()

    def _stop_listening(self) -> None:
        """The workers close their sockets; a connection that waited at this one would never be answered."""
        for listener in self.sockets:
            listener.close()

    def keep_subprocess_alive(self) -> None:
        before = [process.pid for process in self.processes]
        super().keep_subprocess_alive()
        for old, process in zip(before, self.processes, strict=True):
            if old != process.pid:
                log.warning("worker process %d died; %d replaces it", old, process.pid)

    def check(self) -> None:
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            raise RunError("a worker process could not start", fix="Its own message is above.")
        if self._interrupted:
            raise KeyboardInterrupt


def _worker_app(source: Source, settings: ServeSettings) -> FastAPI:
    try:
        return make_app(load(source), settings)
    except SSDError as error:
        log.error("%s", error)
        sys.exit(STARTUP_FAILURE)  # so that the supervisor does not try again


@contextmanager
def _shared_counts() -> Iterator[None]:
    """A folder through which the metrics of the workers are added up; it is removed at the end."""
    folder = tempfile.mkdtemp(prefix="ssd300-counts-")
    os.environ[SHARED_FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[SHARED_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)
