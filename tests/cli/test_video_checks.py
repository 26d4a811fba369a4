"""Options for videos: positive, not both, and not for images alone."""

import pytest

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.video_checks import check_of_videos


@pytest.mark.parametrize(
    ("source", "options", "mistake"),
    [
        ("a.mp4", {"every": 2}, None),
        ("a.mp4", {"fps": 0.5}, None),
        ("camera:0", {"fps": 2.0}, None),
        ("a.jpg", {}, None),
        ("a.mp4", {"fps": 0.0}, "--fps is 0; it must be more than 0"),
        ("a.mp4", {"fps": float("inf")}, "--fps is inf"),
        ("a.mp4", {"every": 2, "fps": 2.0}, "--every and --fps exclude each other"),
        ("a.jpg", {"every": 2}, "--every: for videos and cameras, and none was named"),
    ],
)
def test_the_options_of_videos(source, options, mistake):
    mistakes = Mistakes()
    check_of_videos(mistakes, [source], **{"every": None, "fps": None, "track": False} | options)
    assert [mistake in str(error) for error in mistakes.errors] == ([] if mistake is None else [True])
