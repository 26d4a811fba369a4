"""From weights to a listening server, until a signal ends it after the accepted requests are answered."""

import signal
import socket
from collections.abc import Callable

from ssd300.detection.detector import Detector
from ssd300.serve.app import make_app
from ssd300.serve.listening import listen
from ssd300.serve.process import Source, fixed, load, uvicorn_config
from ssd300.serve.server import Server
from ssd300.serve.settings import ServeSettings
from ssd300.serve.workers import run_workers


def run(
    source: Source,
    settings: ServeSettings,
    listener: socket.socket,
    *,
    workers: int,
    started: Callable[[Detector], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C, which end it after the accepted requests are answered.

    Each of `workers` processes loads the weights. `listener` is bound to the address, and listens once the weights are
    loaded; `started` gets the detector then.

    Raises:
        WeightsError, UsageError: as `Detector.load`; or another program has taken the address meanwhile.
        RunError: a worker could not start, or the weights for the workers could not be copied.
        KeyboardInterrupt: after Ctrl-C, when the server has ended.
    """
    with fixed(source, workers=workers) as source:
        detector = load(source)
        listen(listener)
        started(detector)
        if workers > 1:
            del detector
            run_workers(source, settings, listener, workers=workers)
            return
        app = make_app(detector, settings, model=source.model)
        server = Server(uvicorn_config(app, settings))
        # uvicorn raises the signal again after its end; a second handler makes that a success
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=[listener])
