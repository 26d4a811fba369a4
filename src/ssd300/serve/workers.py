"""Several processes that serve one address, each with the same model in its own memory."""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import threading
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path

from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from ssd300.errors import SSDError
from ssd300.serve.app import make_app
from ssd300.serve.counters import SHARED_FOLDER
from ssd300.serve.process import Source, load, uvicorn_config
from ssd300.serve.settings import ServeSettings
from ssd300.serve.supervisor import Supervisor

log = logging.getLogger(__name__)


def run_workers(source: Source, settings: ServeSettings, listener: socket.socket, *, workers: int) -> None:
    """Serve with this many processes, two or more, until a signal; one that dies is replaced.

    The metrics of the workers are added up through the folder in which the copy of the weights lies.

    Raises:
        RunError: the processes could not start.
        KeyboardInterrupt: after Ctrl-C, when all processes have ended.
    """
    folder = Path(source.weights).parent
    os.environ[SHARED_FOLDER] = str(folder)
    try:
        config = uvicorn_config(partial(_worker_app, source, settings), settings, workers=workers)
        supervisor = Supervisor(config, sockets=[listener])
        supervisor.run()
    finally:
        del os.environ[SHARED_FOLDER]
    supervisor.check()


def _worker_app(source: Source, settings: ServeSettings) -> FastAPI:
    threading.Thread(target=_end_with_parent, args=(Path(source.weights).parent,), daemon=True).start()
    try:
        return make_app(load(source), settings, model=source.model)
    except SSDError as error:
        log.error("%s", error)
        sys.exit(STARTUP_FAILURE)


def _end_with_parent(folder: Path) -> None:
    """End this worker when its parent was killed: it would hold the port, and nobody could stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        shutil.rmtree(folder, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
