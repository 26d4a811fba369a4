"""Frames are turned, mirrored and stretched as a player shows them."""

from fractions import Fraction

import numpy as np
import pytest

from ssd300.detection.orientation import shown_size
from ssd300.detection.video import Video
from videos import write_clip

pytest.importorskip("av")
SHOWN = np.zeros((48, 64, 3), np.uint8)
SHOWN[:24, :32], SHOWN[:24, 32:], SHOWN[24:, :32] = (220, 40, 40), (40, 220, 40), (40, 40, 220)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("upside_down", [False, True])
def test_every_display_matrix(degrees, across, upside_down, tmp_path):
    """The stored image is the shown one with the turn, and then the mirrors, undone."""
    stored = SHOWN[:: -1 if upside_down else 1, :: -1 if across else 1]
    stored = np.rot90(stored, -degrees // 90)
    film = write_clip(
        tmp_path / "a.mp4",
        [stored, stored],
        prepare=lambda stream: stream.set_display_rotation(degrees, across, upside_down),
    )
    with Video(film) as video:
        frame = next(iter(video.frames()))
    assert frame.pixels.shape == SHOWN.shape
    assert np.abs(frame.pixels.astype(int) - SHOWN).mean() < 12


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pixels_that_are_not_square(name, tmp_path):
    def widen(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    with Video(write_clip(tmp_path / name, [SHOWN[:, :48]], prepare=widen)) as video:
        assert next(iter(video.frames())).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("aspect", "size_hw"),
    [(None, (10, 20)), (Fraction(0), (10, 20)), (Fraction(1, 2), (10, 10)), (Fraction(1000), (10, 20))],
)
def test_the_height_stays_and_nonsense_is_ignored(aspect, size_hw):
    assert shown_size(10, 20, aspect) == size_hw
