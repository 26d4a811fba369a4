"""The checks of the options that are for videos alone."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ssd300.cli.mistakes import Mistakes

if TYPE_CHECKING:
    from ssd300.detection.sources import Source


def check_of_videos(
    mistakes: Mistakes, sources: "Sequence[Source]", *, every: int | None, fps: float | None, track: bool
) -> None:
    """Check the options for videos. Of images among the videos nothing changes; without a video they are a mistake."""
    from ssd300.detection.video_names import is_video

    if fps is not None and not 0 < fps < math.inf:
        mistakes.add(f"--fps is {fps:g}; it must be more than 0", fix="Such as --fps 2, or --fps 0.5.")
    if every is not None and fps is not None:
        mistakes.add("--every and --fps exclude each other", fix="Choose one of them.")
    given = [
        name
        for name, is_given in (("--every", every is not None), ("--fps", fps is not None), ("--track", track))
        if is_given
    ]
    if given and sources and not any(map(is_video, sources)):
        mistakes.add(f"{' and '.join(given)}: for videos and cameras, and none was named", fix="Omit it for images.")
    if track:
        from ssd300.detection.tracking import check_installed

        with mistakes.caught():
            check_installed()
