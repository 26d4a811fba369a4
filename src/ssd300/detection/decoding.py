"""The images of a video in the order in which they are shown, with the places of those that cannot be decoded.

A decoder drops what it cannot decode. The times of the packets that went in show which images those are: the times at
which no image came out, after the decoder has reported an error. Packets without an image and without an error are not
shown by players either, such as VP8's hidden reference images.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ssd300.detection.containers import import_av

AFTERMATH = 64  # an image that is missing up to so many images after an error is missing because of it


@dataclass(frozen=True)
class Shown:
    """One image of a video; `image` is PyAV's, None where it cannot be decoded. `time_s` is None if none is stated."""

    time_s: Fraction | None
    image: Any


class _Irregular(Exception):  # noqa: N818  # it is caught here, and is no error
    """Something is missing; decoding in several threads at once does not tell what."""


def shown_images(container: Any, stream: Any, reopen: Callable[[], tuple[Any, Any]] | None) -> Iterator[Shown]:
    """All images of `stream`, from the first one that can be decoded or that is damaged.

    Several threads decode at once, up to the first fault. From there on it is one, in a new container that `reopen`
    gives, with its stream, and which is read from its beginning. Without `reopen`, one thread decodes from the first
    image on, which also adds no delay to a live stream.
    """
    given = 0
    if reopen is not None:
        stream.thread_type = "AUTO"
        try:
            for shown in _decoded(container, stream, careful=False):
                yield shown
                given += 1
            return
        except _Irregular:
            container, stream = reopen()
    stream.thread_type = "NONE"
    for number, shown in enumerate(_decoded(container, stream, careful=True)):
        if number >= given:
            yield shown


def _decoded(container: Any, stream: Any, *, careful: bool) -> Iterator[Shown]:
    """Raises _Irregular where an image is missing, unless `careful`."""
    av = import_av("")
    waiting: list[int] = []  # the times of packets whose images did not come out yet, in the stream's units
    suspicious = 0  # so many images may still be missing because of an error
    for packet in container.demux(stream):
        if packet.pts is not None and packet.size and not packet.is_discard:
            heapq.heappush(waiting, packet.pts)
        try:
            images = packet.decode()
        except EOFError:
            images = []
        except av.FFmpegError:
            if not careful:
                raise _Irregular from None
            images, suspicious = [], AFTERMATH
            if packet.pts is None and packet.size:
                yield Shown(None, None)
        for image in images:
            missing = _before(waiting, image.pts)
            if missing and not careful:
                raise _Irregular
            if suspicious:
                for time in missing:
                    yield Shown(time * stream.time_base, None)
                suspicious -= 1
            yield Shown(_time(image), None if image.is_corrupt else image)
    if waiting and not careful:
        raise _Irregular
    while waiting and suspicious:
        yield Shown(heapq.heappop(waiting) * stream.time_base, None)


def _before(waiting: list[int], time: int | None) -> list[int]:
    """Take the times up to `time` out of the heap; those before it are returned."""
    earlier: list[int] = []
    while time is not None and waiting and waiting[0] <= time:
        taken = heapq.heappop(waiting)
        if taken < time:
            earlier.append(taken)
    return earlier


def _time(image: Any) -> Fraction | None:
    return None if image.pts is None or image.time_base is None else image.pts * image.time_base
