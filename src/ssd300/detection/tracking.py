"""Tracks: a number that stays with an object through a video, by ByteTrack (Zhang et al. 2022) of the package trackers.

Each class is tracked by itself, so that a track keeps its class. An object needs two frames in a row to be one: a
detection in a single frame has no track.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ssd300.detection.results import Result
from ssd300.errors import SSDError, UsageError, install_hint
from ssd300.types import Selection

FAINT = 0.1  # ByteTrack's lower threshold: detections above it keep a track alive
LOST_S, LOST_LOOKS = 1.0, 3  # so long a track waits for its object: ByteTrack's 30 frames at 30 frames/s, or so many
CONFIRMING = 2  # looks in a row until an object has a track
LEAST_OVERLAP = 0.1  # the package's default: the least IoU of a box with where the track expects it
# Boxes are made larger for that by a share of their sides, as in C-BIoU (Yang et al. 2023), where the looks are far
# apart and objects move on by their own size: by the number of seconds between them times this, up to the most.
BUFFER_PER_S, MOST_BUFFER = 2.5, 0.5
NO_TRACK = -1


def with_faint(selection: Selection) -> Selection:
    """The selection for a detector whose results go to `tracked`: also what is too faint to be shown."""
    scores = selection.min_score
    faint = tuple(min(FAINT, one) for one in scores) if isinstance(scores, tuple) else min(FAINT, scores)
    return replace(selection, min_score=faint)


def tracked(results: Iterable[Result], selection: Selection, rate: Fraction) -> Iterator[Result]:
    """The results of one video, in its order, with `tracks`, and only what `selection` lets through.

    A detection that it lets through can begin a track; one below its confidence threshold only continues one. `rate` is
    that of the results, in frames/s. A result is held back until the next one is there, which confirms its tracks. An
    SSDError of `results` is raised after the last of them.
    """
    check_installed()
    scores = selection.min_score
    threshold: Callable[[int], float] = (lambda label: scores[label]) if isinstance(scores, tuple) else lambda _: scores
    tracks = _Tracks(threshold, float(rate))
    held: _Looked | None = None
    fault: SSDError | None = None
    try:
        for result in results:
            looked = tracks.look(result, held)
            if held is not None:
                yield _shown(held, threshold)
            held = looked
    except SSDError as error:
        fault = error
    if held is not None:
        yield _shown(held, threshold)
    if fault is not None:
        raise fault


def check_installed() -> None:
    """Raises UsageError where the package trackers is missing, or cannot be imported."""
    try:
        import trackers  # noqa: F401  # whether it can be
    except ImportError as error:
        reason = "" if isinstance(error, ModuleNotFoundError) and error.name == "trackers" else f" ({error})"
        raise UsageError(f"--track needs the package trackers{reason}", fix=install_hint("track")) from error


@dataclass(eq=False)
class _Looked:
    """A result, and the track of each of its detections."""

    result: Result
    tracks: Int[np.ndarray, " n"] = field(repr=False)


class _Tracks:
    """The tracks of a video: a tracker a class, and numbers from 1 in the order in which tracks are confirmed."""

    def __init__(self, threshold: Callable[[int], float], rate: float) -> None:
        self._threshold, self._rate = threshold, rate
        self._trackers: dict[int, Any] = {}
        self._numbers: dict[tuple[int, int], int] = {}  # of a class and the number that its tracker gives
        self._lost_s = max(LOST_S, LOST_LOOKS / rate)
        self._stated_s, self._passed_s = 0.0, 0.0

    def look(self, result: Result, before: _Looked | None) -> _Looked:
        """Follow the objects into the next result. A track that is confirmed now is written into `before` too."""
        self._pass(1 / self._rate if result.time_s is None else result.time_s - self._stated_s)
        self._stated_s = result.time_s or 0.0
        looked = _Looked(result, np.full(len(result), NO_TRACK))
        for label in sorted({*result.labels.tolist(), *self._trackers}):
            rows = np.flatnonzero(result.labels == label)
            if label not in self._trackers:
                self._trackers[label] = self._new_tracker(label)
            for row, own in zip(rows, self._follow(self._trackers[label], result, rows), strict=True):
                if own != NO_TRACK:
                    is_new = (label, own) not in self._numbers
                    number = self._numbers.setdefault((label, own), len(self._numbers) + 1)
                    looked.tracks[row] = number
                    if is_new and before is not None:
                        self._confirm(before, label, result.boxes[row], number)
        return looked

    def _pass(self, seconds: float) -> None:
        """The clock of the trackers goes forward, and not far in a pause of an uneven video: nothing moved in it."""
        self._passed_s += min(max(seconds, 1e-6), self._lost_s / LOST_LOOKS)

    def _new_tracker(self, label: int) -> Any:
        from trackers import BIoU, ByteTrackTracker

        least = self._threshold(label)
        return ByteTrackTracker(
            lost_track_buffer=round(self._lost_s * 30),  # in frames at 30 frames/s, whatever the rate is
            frame_rate=self._rate,
            track_activation_threshold=least,
            high_conf_det_threshold=least,
            minimum_consecutive_frames=CONFIRMING,
            minimum_iou_threshold=LEAST_OVERLAP,
            iou=BIoU(min(MOST_BUFFER, BUFFER_PER_S / self._rate)),
        )

    def _follow(self, tracker: Any, result: Result, rows: Int[np.ndarray, " m"]) -> list[int]:
        """The tracker's own number for each of these rows."""
        import supervision

        given = supervision.Detections(
            xyxy=result.boxes[rows].astype(np.float64).reshape(-1, 4),
            confidence=result.scores[rows].astype(np.float64),
            class_id=np.arange(len(rows)),  # the order of what comes back is another one
        )
        found = tracker.update(given, timestamp=self._passed_s)
        own = [NO_TRACK] * len(rows)
        for place, number in zip(found.class_id if len(found) else (), found.tracker_id, strict=True):
            own[place] = int(number)
        return own

    def _confirm(self, before: _Looked, label: int, box: Float[np.ndarray, "4"], number: int) -> None:
        """Give the track to the detection of the result before with which it began: the nearest that can begin one."""
        result = before.result
        least = self._threshold(label)
        begun = (result.labels == label) & (before.tracks == NO_TRACK) & (result.scores > least)
        if begun.any():
            distances = np.linalg.norm(_centers(result.boxes) - _centers(box[None]), axis=1)
            before.tracks[int(np.where(begun, distances, np.inf).argmin())] = number


def _centers(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 2"]:
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)


def _shown(looked: _Looked, threshold: Callable[[int], float]) -> Result:
    result = looked.result
    tracks = tuple(None if number == NO_TRACK else number for number in looked.tracks.tolist())
    pairs = zip(result.scores.tolist(), result.labels.tolist(), strict=True)
    keep = [score > threshold(label) for score, label in pairs]
    return replace(result, tracks=tracks).select(keep)
