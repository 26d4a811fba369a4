"""From weights to a listening server, until a signal ends it after the accepted requests are answered."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from uvicorn import Server

from ssd300.detection.detector import Detector
from ssd300.errors import UsageError
from ssd300.serve.app import make_app
from ssd300.serve.process import Source, load, uvicorn_config
from ssd300.serve.settings import ServeSettings
from ssd300.serve.workers import run_workers

LARGEST_PORT = 65_535


def run(
    source: Source,
    settings: ServeSettings,
    *,
    host: str,
    port: int,
    workers: int,
    started: Callable[[Detector, str], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C, which end it after the accepted requests are answered.

    Each of `workers` processes loads the weights. `started` gets the detector and the address. With `port` 0 a free
    port is chosen.

    Raises:
        UsageError: the address cannot be listened on.
        WeightsError, UsageError: as `Detector.load`.
        RunError: a worker could not start.
        KeyboardInterrupt: after Ctrl-C, when the server has ended.
    """
    detector = load(source)
    with _listening(host, port) as listener:
        started(detector, _address(listener))
        if workers > 1:
            del detector
            run_workers(source, settings, listener, workers=workers)
            return
        server = Server(uvicorn_config(make_app(detector, settings), settings))
        # uvicorn raises the signal again after its end; a second handler makes that a success
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=[listener])


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not 0 <= port <= LARGEST_PORT:
        raise UsageError(f"--port is {port}", fix=f"Name one in 0..{LARGEST_PORT}; 0 takes a free one.")
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
