"""What a detector finds in the images: by a thread of its own, for the images that the page asks for first.

Proposals, the review of labels and the measures of doubt are made from the same detections. The detector is loaded when
it is first needed; an exported file does without torch.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ssd300.data.formats.annotations import Corners
from ssd300.detection.defaults import MIN_SCORE
from ssd300.detection.detector import Detector
from ssd300.detection.uncertainty import mirrored
from ssd300.errors import SSDError
from ssd300.types import Detections, Selection

log = logging.getLogger(__name__)
LOWEST_SCORE = 0.05  # of what is proposed at all; the page shows what reaches its threshold
FOUND = Selection()  # as `ssd300 review` and `ssd300 next` detect, so that the page has their numbers
MOST_AHEAD = 8  # images that are looked at before the page asks for them


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A detection; `box_px` is xyxy in pixels of the image as it is shown."""

    name: str
    box_px: Corners
    score: float


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What was found in an image, of any score; `fault` is why nothing could be. `detections` is None then."""

    detections: Detections | None = None
    fault: str = ""

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """The detections that are worth a look."""
        if self.detections is None:
            return ()
        found = self.detections
        rows = zip(found.names, found.boxes.tolist(), found.scores.tolist(), strict=True)
        return tuple(Proposal(name=name, box_px=tuple(box), score=score) for name, box, score in rows
                     if score > LOWEST_SCORE)  # fmt: skip

    @property
    def has_proposals(self) -> bool:
        """Whether there are any, without a list of them."""
        return self.detections is not None and bool((self.detections.scores > LOWEST_SCORE).any())


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
        self._turned_back: dict[int, Detections] = {}
        self._wanted: deque[int] = deque()
        self._labeled: deque[int] = deque()
        self._all: deque[int] = deque()
        self._mirrors: deque[int] = deque()
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
    def source(self) -> Mapping[str, Any]:
        """What the weights say of their training; nothing before they are loaded."""
        return {} if self._detector is None else self._detector.card.source

    @property
    def min_scores(self) -> Mapping[str, float]:
        """The confidence thresholds that the weights hold, by the detector's classes."""
        return {} if self._detector is None else self._detector.card.min_scores

    @property
    def thresholds(self) -> dict[str, float]:
        """The confidence threshold of each class of the detector: that of the weights, else that of detection."""
        return {name: self.min_scores.get(name, MIN_SCORE) for name in self.classes}

    @property
    def left(self) -> int:
        """How many images are still to be looked at, or to be looked at in a mirror."""
        with self._changed:
            mirrors = [one for one in self._mirrors if one not in self._turned_back]
            return len({*self._wanted, *self._all} - self._done.keys()) + len(mirrors)

    def known(self, number: int) -> Proposed | None:
        """What was found in an image; None before it was looked at."""
        return self._done.get(number)

    def all_known(self) -> Mapping[int, Proposed]:
        """What was found so far, by the numbers of the images."""
        with self._changed:
            return dict(self._done)

    def all_turned_back(self) -> Mapping[int, Detections]:
        """What was found in mirror images so far, turned back, by the numbers of the images."""
        with self._changed:
            return dict(self._turned_back)

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

    def ask_for_labeled(self, numbers: Iterable[int]) -> None:
        """Look at all of these, whose labels are reviewed, before those of `ask_for_all`."""
        with self._changed:
            self._labeled = deque(one for one in numbers if one not in self._done)
            self._changed.notify_all()

    def ask_for_mirrors(self, numbers: Iterable[int]) -> None:
        """Look at the mirror images of all of these, once nothing else is asked for."""
        with self._changed:
            self._mirrors = deque(one for one in numbers if one not in self._turned_back)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread after the image that it is at."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            number, is_mirror = job
            try:
                if self._detector is None:
                    self._detector = Detector.load(self.weights, device=self._device)
                if is_mirror:
                    turned = _detected_in_mirror(self._detector, self._images[number])
                else:
                    proposed = _detected(self._detector, self._images[number])
            except SSDError as error:  # of the weights: there is nothing to try again
                self._give_up(str(error))
                return
            except Exception:  # whatever an engine raises: the page says that there is none, and goes on without
                log.exception("the proposals have ended")
                self._give_up("The model failed; the server's log has the cause.")
                return
            with self._changed:
                if is_mirror:
                    self._turned_back[number] = turned
                else:
                    self._done[number] = proposed
                self._changed.notify_all()
            if not is_mirror:
                self._found(number)

    def _give_up(self, fault: str) -> None:
        with self._changed:
            self.fault = fault
            self._changed.notify_all()

    def _next(self) -> tuple[int, bool] | None:
        """The image to look at now, and whether in a mirror; None at the end."""
        with self._changed:
            while not self._closed:
                for queue in (self._wanted, self._labeled, self._all):
                    while queue:
                        if (number := queue.popleft()) not in self._done:
                            return number, False
                while self._mirrors:
                    if (number := self._mirrors.popleft()) not in self._turned_back:
                        return number, True
                self._changed.wait()
            return None


def _detected(detector: Detector, image: Path) -> Proposed:
    ((_, outcome),) = detector.outcomes([image], FOUND, batch_size=1)
    return Proposed(fault=outcome.what) if isinstance(outcome, SSDError) else Proposed(detections=_kept(outcome))


def _detected_in_mirror(detector: Detector, image: Path) -> Detections:
    """What is found in the mirror image, turned back; nothing if the image cannot be read."""
    ((_, outcome),) = detector.outcomes([image], FOUND, batch_size=1)
    if isinstance(outcome, SSDError):
        return Detections(boxes=np.zeros((0, 4)), scores=np.zeros(0), labels=np.zeros(0, np.int64), classes=())
    pixels = np.ascontiguousarray(outcome.pixels[:, ::-1])
    (found,) = detector.stream([pixels], FOUND, batch_size=1)
    return mirrored(_kept(found), outcome.size_hw[1])


def _kept(found: Detections) -> Detections:
    """The detections without the pixels of their image."""
    return Detections(boxes=found.boxes, scores=found.scores, labels=found.labels, classes=found.classes)


def at_whole_pixels(box_px: Corners) -> Corners:
    """At whole pixels, as drawn boxes are, and a pixel wide at least."""
    xmin, ymin, xmax, ymax = (float(round(corner)) for corner in box_px)
    return xmin, ymin, max(xmax, xmin + 1), max(ymax, ymin + 1)
