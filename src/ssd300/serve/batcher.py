"""One thread runs the network for all requests: images that wait at the same time go through it in one batch.

Knows neither HTTP nor files. No image waits for later ones: a batch is what is waiting when the network is free.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from ssd300.detection.network import Network, Prepared, detect_batch
from ssd300.types import Detections, Selection

LONGEST_RETRY_S = 60
INERTIA = 0.9  # weight of the past in the running mean of seconds per image

log = logging.getLogger(__name__)


class FullError(Exception):
    """No more images are accepted; there may be room after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"full; try again after {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Detections in pixels of the image; the seconds that it waited; the seconds and the size of its whole batch."""

    detections: Detections
    waited_s: float
    network_s: float
    select_s: float
    batch_size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Waiting:
    prepared: Prepared
    selection: Selection
    answer: "Future[Answer]"
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """The queue in front of a network, and the thread that runs it. Threads may share one.

    `queue` is the most places that are held at the same time, `batch_size` the most images of a batch.
    """

    def __init__(self, network: Network, *, batch_size: int, queue: int) -> None:
        self._network, self._batch_size, self._queue = network, batch_size, queue
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._held = 0
        self._closing = False
        self._seconds_per_image = 0.0
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    @contextmanager
    def places(self, count: int) -> Iterator[None]:
        """Hold this many places while the block runs. Raises FullError at once where fewer are free."""
        with self._changed:
            if self._held + count > self._queue or self._closing:
                raise FullError(self.retry_after_s())
            self._held += count
        try:
            yield
        finally:
            with self._changed:
                self._held -= count

    def retry_after_s(self) -> int:
        """Seconds until there should be room, estimated from the time that images took lately."""
        return min(max(math.ceil(self._held * self._seconds_per_image), 1), LONGEST_RETRY_S)

    def submit(self, prepared: Prepared, selection: Selection) -> "Future[Answer]":
        """The future answer for a prepared image. An image whose answer is canceled before its batch begins is not run.

        Raises FullError after `close`.
        """
        waiting = _Waiting(prepared=prepared, selection=selection, answer=Future())
        with self._changed:
            if self._closing:
                raise FullError(1)
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.answer

    def close(self) -> None:
        """Accept no more images, answer those that wait, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next():
            self._run(batch)

    def _next(self) -> list[_Waiting]:
        """The next batch: the first image that waits and others with the same selection. Empty after `close`."""
        with self._changed:
            while True:
                batch: list[_Waiting] = []
                rest: deque[_Waiting] = deque()
                for one in self._waiting:
                    if len(batch) < self._batch_size and (not batch or one.selection == batch[0].selection):
                        if one.answer.set_running_or_notify_cancel():
                            batch.append(one)
                    else:
                        rest.append(one)
                self._waiting = rest
                if batch or self._closing:
                    return batch
                self._changed.wait()

    def _run(self, batch: Sequence[_Waiting]) -> None:
        started = time.monotonic()
        try:
            found = detect_batch(self._network, [one.prepared for one in batch], batch[0].selection)
        except Exception as error:  # whatever an engine raises: those who wait must be answered
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            log.warning("a batch of %d failed (%s); each image is tried alone", len(batch), error)
            for one in batch:
                self._run([one])
            return
        each = (time.monotonic() - started) / len(batch)
        self._seconds_per_image = INERTIA * (self._seconds_per_image or each) + (1 - INERTIA) * each
        for one, detections in zip(batch, found.detections, strict=True):
            one.answer.set_result(
                Answer(
                    detections=detections,
                    waited_s=started - one.since,
                    network_s=found.network_s,
                    select_s=found.select_s,
                    batch_size=len(batch),
                )
            )
