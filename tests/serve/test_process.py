"""What one process of a server loads, and what it logs."""

import logging

import pytest

from ssd300.serve import ServeSettings
from ssd300.serve.process import OwnMessages, Source, uvicorn_config
from ssd300.system.processors import processors

SOURCE = Source(weights="w", device="cpu", precision=None)


def test_processes_share_the_cores_unless_threads_are_named():
    assert SOURCE.shared_among(1).threads is None
    assert SOURCE.shared_among(2).threads == max(processors() // 2, 1)
    assert SOURCE.shared_among(10_000).threads == 1
    assert Source(weights="w", device="cpu", precision=None, threads=3).shared_among(2).threads == 3


def test_counts_of_threads_and_workers_have_ranges():
    with pytest.raises(ValueError, match="workers is 0"):
        SOURCE.shared_among(0)
    with pytest.raises(ValueError, match="threads is 0"):
        Source(weights="w", device="cpu", precision=None, threads=0)


@pytest.mark.parametrize(
    ("message", "is_logged"),
    [
        ("Invalid HTTP request received.", False),
        ("Traceback ...\nasyncio.exceptions.CancelledError\n", False),
        ("Exception in ASGI application", True),
    ],
)
def test_faults_of_clients_are_not_logged(message, is_logged):
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, None, None)
    assert OwnMessages().filter(record) == is_logged


def test_requests_in_progress_get_the_time_of_a_body_and_a_response_at_the_end():
    config = uvicorn_config(None, ServeSettings(timeout_s=3.0))
    assert config.timeout_graceful_shutdown == 7
