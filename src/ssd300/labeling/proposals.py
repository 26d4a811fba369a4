"""The boxes that a detector proposes: found by a thread of its own, for the images that the page asks for first.

The detector is loaded when it is first needed; an exported file does without torch.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ssd300.data.formats.annotations import Corners
from ssd300.detection.defaults import MIN_SCORE
from ssd300.detection.detector import Detector
from ssd300.errors import SSDError

log = logging.getLogger(__name__)
LOWEST_SCORE = 0.05  # of what is proposed at all; the page shows what is above its slider
MOST_AHEAD = 8  # images that are looked at before the page asks for them


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A detection; `box_px` is xyxy in pixels of the image as it is shown."""

    name: str
    box_px: Corners
    score: float


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What was found in an image; `fault` is why nothing could be."""

    proposals: tuple[Proposal, ...] = ()
    fault: str = ""


class Proposer:
    """Proposals of one set of weights for some images, by their numbers. Threads may share it; `close` ends its own."""

    def __init__(
        self,
        weights: str,
        images: Sequence[Path],
        *,
        device: str = "auto",
        found: Callable[[int], None] = lambda _number: None,
    ) -> None:
        """`found` is called with the number of each image that was looked at."""
        self.weights = weights
        self._images, self._device, self._found = images, device, found
        self._done: dict[int, Proposed] = {}
        self._wanted: deque[int] = deque()
        self._all: deque[int] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._detector: Detector | None = None
        self.fault = ""
        self._thread = threading.Thread(target=self._run, name="proposals", daemon=True)
        self._thread.start()

    @property
    def classes(self) -> Sequence[str]:
        """Those of the detector; none before it is loaded."""
        return () if self._detector is None else self._detector.card.classes

    @property
    def usual_score(self) -> float:
        """Above which score proposals are shown at first: the mean of the thresholds that the weights hold."""
        stored = {} if self._detector is None else self._detector.card.min_scores
        return fmean(stored.values()) if stored else MIN_SCORE

    @property
    def left(self) -> int:
        """How many images are still to be looked at."""
        with self._changed:
            return len({*self._wanted, *self._all} - self._done.keys())

    def known(self, number: int) -> Proposed | None:
        """What was found in an image; None before it was looked at."""
        return self._done.get(number)

    def all_known(self) -> Mapping[int, Proposed]:
        """What was found so far, by the numbers of the images."""
        with self._changed:
            return dict(self._done)

    def ask(self, number: int, ahead: Iterable[int] = (), *, wait_s: float = 0.0) -> Proposed | None:
        """Look at an image first, and at some others next. What was found, if it is known within `wait_s`."""
        with self._changed:
            next_ones = [one for one in ahead if 0 <= one < len(self._images)][:MOST_AHEAD]
            self._wanted = deque(one for one in (number, *next_ones) if one not in self._done)
            self._changed.notify_all()
            self._changed.wait_for(lambda: number in self._done or self.fault or self._closed, timeout=wait_s)
            return self._done.get(number)

    def ask_for_all(self, numbers: Iterable[int]) -> None:
        """Look at all of these, once nothing else is asked for."""
        with self._changed:
            self._all = deque(one for one in numbers if one not in self._done)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread after the image that it is at."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while (number := self._next()) is not None:
            try:
                if self._detector is None:
                    self._detector = Detector.load(self.weights, device=self._device)
                proposed = self._detected(self._detector, number)
            except SSDError as error:  # of the weights: there is nothing to try again
                self._give_up(str(error))
                return
            except Exception:  # whatever an engine raises: the page says that there is none, and goes on without
                log.exception("the proposals have ended")
                self._give_up("The model failed; the server's log has the cause.")
                return
            with self._changed:
                self._done[number] = proposed
                self._changed.notify_all()
            self._found(number)

    def _give_up(self, fault: str) -> None:
        with self._changed:
            self.fault = fault
            self._changed.notify_all()

    def _next(self) -> int | None:
        """The image to look at now; None at the end."""
        with self._changed:
            while not self._closed:
                for queue in (self._wanted, self._all):
                    while queue:
                        if (number := queue.popleft()) not in self._done:
                            return number
                self._changed.wait()
            return None

    def _detected(self, detector: Detector, number: int) -> Proposed:
        wanted = detector.selection(LOWEST_SCORE)
        ((_, outcome),) = detector.outcomes([self._images[number]], wanted, batch_size=1)
        if isinstance(outcome, SSDError):
            return Proposed(fault=outcome.what)
        rows = zip(outcome.names, outcome.boxes.tolist(), outcome.scores.tolist(), strict=True)
        return Proposed(
            proposals=tuple(Proposal(name=name, box_px=tuple(box), score=score) for name, box, score in rows)
        )
