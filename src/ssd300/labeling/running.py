"""From a project to a listening server, until a signal ends it."""

import signal
import socket
from collections.abc import Callable

from ssd300.labeling.app import make_label_app
from ssd300.labeling.project import Project
from ssd300.serve.listening import listen
from ssd300.serve.process import uvicorn_config
from ssd300.serve.server import Server
from ssd300.serve.settings import ServeSettings


def run(
    project: Project, settings: ServeSettings, listener: socket.socket, *, started: Callable[[], None]
) -> None:  # fmt: skip
    """Serve until SIGTERM or Ctrl-C. Saves that have begun are finished. `started` is called once clients can connect.

    Raises:
        UsageError: another program has taken the address meanwhile.
        KeyboardInterrupt: after Ctrl-C, when the server has ended.
    """
    listen(listener)
    started()
    server = Server(uvicorn_config(make_label_app(project, settings), settings))
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    try:
        server.run(sockets=[listener])
    finally:
        project.close()
