"""One process of a server: the detector that it loads, and how uvicorn runs and logs its application."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uvicorn import Config

from ssd300.detection.backends import TorchPrecision, load_network
from ssd300.detection.detector import Detector
from ssd300.errors import SSDError
from ssd300.serve.gate import LONGEST_HEAD
from ssd300.serve.log_lines import RequestLine
from ssd300.serve.private_folder import private_folder
from ssd300.serve.protocol import PatientProtocol
from ssd300.serve.served_model import ServedModel, copy_model, model_of
from ssd300.serve.settings import ServeSettings
from ssd300.system.processors import processors

MOST_CONNECTIONS = 512  # further ones get 503; well below the files that a process may usually have open
READ_ON = ".xml"  # OpenVINO maps the .bin file into memory: what is written into it later would be used
WORKER_ANSWERS_WITHIN_S = 60  # its parent's question whether it is alive; it may be importing torch


class OwnMessages(logging.Filter):
    """Drops messages on faults of clients, who got a response, and the trace of an end by a second signal."""

    OF_CLIENTS = ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")
    SECOND_SIGNAL = "asyncio.exceptions.CancelledError"

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not message.startswith(self.OF_CLIENTS) and not message.rstrip().endswith(self.SECOND_SIGNAL)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": RequestLine}},
    "filters": {"own": {"()": OwnMessages}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "ssd300": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "python_multipart": {"level": "CRITICAL"},  # the response names what is wrong with a form
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.error": {"filters": ["own"]},
    },
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """What each process loads. `device` may be 'auto'; `threads` are those of the network, None for all cores.

    `model` are the files that `weights` stands for, None before `fixed`. With `is_copy`, `weights` is a copy of them.

    Raises:
        ValueError: `threads` is less than 1; the message begins with the field's name.
    """

    weights: str
    device: str
    precision: TorchPrecision | None
    threads: int | None = None
    model: ServedModel | None = None
    is_copy: bool = False

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; it must be 1 or more")

    def shared_among(self, workers: int) -> "Source":
        """The source for each of this many processes: without `threads`, they share the cores.

        Raises ValueError for fewer than one.
        """
        if workers < 1:
            raise ValueError(f"workers is {workers}; it must be 1 or more")
        if workers == 1 or self.threads is not None:
            return self
        return replace(self, threads=max(processors() // workers, 1))


@contextmanager
def fixed(source: Source, *, workers: int) -> Iterator[Source]:
    """The source with its files by checksum; for several workers, and where the engine reads on, as a private copy.

    Raises WeightsError if there are no such weights, and RunError if they cannot be read or copied.
    """
    if workers == 1 and not source.weights.lower().endswith(READ_ON):
        yield replace(source, model=model_of(source.weights))
        return
    with private_folder() as folder:
        model, copy = copy_model(source.weights, folder)
        yield replace(source, weights=str(copy), model=model, is_copy=True)


def load(source: Source) -> Detector:
    """The detector of this process, from the very bytes of `source.model`.

    Raises:
        WeightsError, UsageError: as `Detector.load`; they name the user's file, not a copy of it.
        RunError: the copy is gone, or the file was replaced just now.
    """
    model = source.model
    if model is not None and source.is_copy:
        model.check_copy(Path(source.weights))
    try:
        network = load_network(source.weights, device=source.device, precision=source.precision, threads=source.threads)
    except SSDError as error:
        if model is None or error.where != source.weights:
            raise
        raise type(error)(error.what, where=model.files[0].path, fix=error.fix) from error
    if model is not None and not source.is_copy:
        model.check_loaded()
    return Detector(network)


def uvicorn_config(app: Any, settings: ServeSettings, *, workers: int = 1) -> Config:
    """The configuration of uvicorn; `app` is the application, or with several `workers` a function that makes it."""
    return Config(
        app,
        factory=workers > 1,
        workers=workers,
        http=PatientProtocol,
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
