"""Which frames of a video are looked at: all, every so many, or so many a second."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

SLACK_S = Fraction(1, 1000)  # containers round times, Matroska to milliseconds


@dataclass(frozen=True, kw_only=True)
class FrameChoice:
    """Every `every`th frame from the first one on, or at most `per_second` a second by their times; `most` in total.

    Raises:
        ValueError: a value is not positive, or both `every` and `per_second` are given.
    """

    every: int = 1
    per_second: float | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every is {self.every}; it must be 1 or more")
        if self.per_second is not None and not 0 < self.per_second < math.inf:
            raise ValueError(f"per_second is {self.per_second:g}; it must be more than 0")
        if self.per_second is not None and self.every > 1:
            raise ValueError("every and per_second exclude each other")
        if self.most is not None and self.most < 1:
            raise ValueError(f"most is {self.most}; it must be 1 or more")

    def due(self, rate: Fraction) -> Callable[[int, Fraction | None], bool]:
        """A function of a frame's number and time that tells whether it is looked at, to be called in their order.

        `rate` is the video's, in frames/s: where a time is None, the frames are evenly spaced.
        """
        if self.per_second is None:
            return lambda number, _time_s: number % self.every == 0
        per_second, last = Fraction(self.per_second), -1

        def due(number: int, time_s: Fraction | None) -> bool:
            nonlocal last
            slot = math.floor(((number / rate if time_s is None else time_s) + SLACK_S) * per_second)
            is_due = slot != last
            last = slot
            return is_due

        return due

    def rate(self, rate: Fraction) -> Fraction:
        """The frames a second that are looked at in a video of this rate."""
        if self.per_second is None:
            return rate / self.every
        return min(rate, Fraction(self.per_second).limit_denominator(1000))

    def count(self, frames: int, rate: Fraction) -> int:
        """About how many frames are looked at of a video with so many, of this rate."""
        looked_at = math.ceil(frames * self.rate(rate) / rate)
        return looked_at if self.most is None else min(looked_at, self.most)


ALL = FrameChoice()
