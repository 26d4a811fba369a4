"""From weights to a listening server: one process or several, ended by a signal after what was taken in is answered."""

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fastapi import FastAPI
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from ssd300.detection.backends import TorchPrecision, load_network
from ssd300.detection.detector import Detector
from ssd300.errors import RunError, SSDError, UsageError
from ssd300.serve.app import make_app
from ssd300.serve.counters import SHARED_FOLDER
from ssd300.serve.gate import LONGEST_HEAD
from ssd300.serve.protocol import PatientProtocol
from ssd300.serve.settings import ServeSettings
from ssd300.system.processors import processors

MOST_CONNECTIONS = 512  # beyond these, 503; well below the files that a process may usually have open
LARGEST_PORT = 65_535
WORKER_ANSWERS_WITHIN_S = 60  # to its parent; it may be importing torch


class ServersOwn(logging.Filter):
    """Leaves out what clients cause, who have their answer, and the trace of an end that was asked for twice."""

    CAUSED = ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")
    GIVEN_UP = "asyncio.exceptions.CancelledError"

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not message.startswith(self.CAUSED) and not message.rstrip().endswith(self.GIVEN_UP)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "filters": {"own": {"()": ServersOwn}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "ssd300": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "python_multipart": {"level": "CRITICAL"},  # what is wrong with a form is answered
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.error": {"filters": ["own"]},
    },
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What each process loads for itself. `device` may be 'auto'; `threads` are the network's, None for all cores.

    Raises:
        ValueError: `threads` is less than 1.
    """

    weights: str
    device: str
    precision: TorchPrecision | None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; it must be 1 or more")

    def shared_among(self, workers: int) -> "Source":
        """The same for each of several processes: without `threads`, the cores are shared. Raises ValueError."""
        if workers < 1:
            raise ValueError(f"workers is {workers}; it must be 1 or more")
        if workers == 1 or self.threads is not None:
            return self
        return replace(self, threads=max(processors() // workers, 1))


def load(source: Source) -> Detector:
    """The detector of this process. Raises as `Detector.load`."""
    network = load_network(source.weights, device=source.device, precision=source.precision, threads=source.threads)
    return Detector(network)


def run(
    source: Source,
    settings: ServeSettings,
    *,
    host: str,
    port: int,
    workers: int,
    started: Callable[[Detector, str], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C, which end it after what was taken in is answered.

    Each of `workers` processes loads the weights. `started` is told the detector and the address. With `port` 0 a free
    one is taken.

    Raises:
        UsageError: the address cannot be listened on.
        WeightsError, UsageError: as `Detector.load`.
        RunError: a worker could not start.
        KeyboardInterrupt: after Ctrl-C, when all is ended.
    """
    detector = load(source)
    with _listening(host, port) as listener:
        started(detector, _address(listener))
        if workers == 1:
            server = Server(_config(make_app(detector, settings), settings))
            # uvicorn raises the signal again when all is done; that is a good end
            signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
            server.run(sockets=[listener])
        else:
            del detector
            with _shared_counts():
                config = _config(partial(_worker_app, source, settings), settings, workers=workers)
                supervisor = _Workers(config, sockets=[listener])
                supervisor.run()
            supervisor.check()


class _Workers(Multiprocess):
    """uvicorn's supervisor, which says how it ended."""

    _interrupted = False

    def handle_int(self) -> None:
        super().handle_int()
        self._refuse()
        self._interrupted = True

    def handle_term(self) -> None:
        super().handle_term()
        self._refuse()

    def _refuse(self) -> None:
        """The workers close theirs; a connection that this one took would never be answered."""
        for listener in self.sockets:
            listener.close()

    def keep_subprocess_alive(self) -> None:
        before = [process.pid for process in self.processes]
        super().keep_subprocess_alive()
        for old, process in zip(before, self.processes, strict=True):
            if old != process.pid:
                log.warning("worker process %d died; %d stands in its place", old, process.pid)

    def check(self) -> None:
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            raise RunError("a worker process could not start", fix="Its own message stands above.")
        if self._interrupted:
            raise KeyboardInterrupt


def _worker_app(source: Source, settings: ServeSettings) -> FastAPI:
    try:
        return make_app(load(source), settings)
    except SSDError as error:
        log.error("%s", error)
        sys.exit(STARTUP_FAILURE)  # by which the supervisor knows not to try again


def _config(app: Any, settings: ServeSettings, *, workers: int = 1) -> Config:
    return Config(
        app,
        factory=workers > 1,
        workers=workers,
        http=PatientProtocol,
        root_path=settings.root_path,
        ws="none",
        lifespan="on",
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=int(2 * settings.timeout_s) + 1,
        timeout_worker_healthcheck=WORKER_ANSWERS_WITHIN_S,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not 0 <= port <= LARGEST_PORT:
        raise UsageError(f"--port is {port}", fix=f"It lies in 0..{LARGEST_PORT}; 0 takes a free one.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"this address cannot be listened on ({error.strerror})",
            where=f"{host}:{port}",
            fix="Name another --port (0 takes a free one), or another --host.",
        ) from error
    with listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"


@contextmanager
def _shared_counts() -> Iterator[None]:
    """A folder through which the workers' counts are added up; removed at the end."""
    folder = tempfile.mkdtemp(prefix="ssd300-counts-")
    os.environ[SHARED_FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[SHARED_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)
