"""Counts and times for Prometheus, added up over the worker processes through a folder of its library."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCHES = (1, 2, 4, 8, 16, 32)


class Counters:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("ssd300_requests", "Requests answered.", ("path", "status"), registry=self._registry)
        self.request_seconds = Histogram(
            "ssd300_request_seconds", "Seconds from the head of a request to the end of its response.", ("path",),
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.images = Counter("ssd300_images", "Images on which detection has run.", registry=self._registry)
        self.detections = Counter(
            "ssd300_detections", "Detections returned, by class.", ("label",), registry=self._registry
        )
        self.stage_seconds = Histogram(
            "ssd300_stage_seconds", "Seconds per image by stage; network and select of its batch.", ("stage",),
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.batch_size = Histogram(
            "ssd300_batch_size", "Size of the batch that each image was in.",
            buckets=BATCHES, registry=self._registry,
        )  # fmt: skip
        self.queue = Gauge(
            "ssd300_queue", "Images accepted and not answered yet.",
            registry=self._registry, multiprocess_mode="livesum",
        )  # fmt: skip

    @contextmanager
    def queue_holds(self, count: int) -> Iterator[None]:
        """Count this many images more in the queue while the block runs."""
        self.queue.inc(count)
        try:
            yield
        finally:
            self.queue.dec(count)

    def text(self) -> bytes:
        """The metrics of all worker processes in Prometheus's text format."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # it has no types
        return generate_latest(together)
