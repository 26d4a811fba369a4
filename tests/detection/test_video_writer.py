"""An annotated copy has the frames at their times, and the sound; it appears only when it is whole."""

from fractions import Fraction

import numpy as np
import pytest

from ssd300.detection.video import Video
from ssd300.detection.video_writer import VideoWriter, whole_copy
from videos import FRAMES, RATE, write_video

av = pytest.importorskip("av")


def test_times_are_those_of_the_frames_and_sides_become_even(tmp_path):
    times = [0.0, 0.04, 0.2, 0.24, 1.0]
    with VideoWriter(tmp_path / "a.mp4", rate=Fraction(25)) as writer:
        for number, time in enumerate(times):
            writer.add(np.full((33, 51, 3), 90, np.uint8), time, number)
    with Video(str(tmp_path / "a.mp4")) as video:
        frames = list(video.frames())
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
    assert frames[0].pixels.shape == (32, 50, 3)


def test_sound_is_copied_packet_by_packet(film, tmp_path):
    with Video(str(film)) as video, VideoWriter(tmp_path / "a.mp4", rate=RATE, sound=film) as writer:
        for frame in video.frames():
            writer.add(frame.pixels, frame.time_s, frame.number)
    assert writer.why_silent == ""
    with av.open(str(tmp_path / "a.mp4")) as written, av.open(str(film)) as given:
        assert written.streams.video[0].frames == FRAMES
        copied, original = (
            [bytes(packet) for packet in one.demux(one.streams.audio[0]) if packet.size] for one in (written, given)
        )
    assert len(copied) >= len(original) - 2  # the encoder's run-in, before the first image
    assert set(copied) <= set(original)


@pytest.mark.parametrize(("sound", "why"), [("pcm_s16le", "its sound (pcm_s16le) cannot be copied"), (None, "")])
def test_a_copy_is_silent_where_the_sound_does_not_fit_or_there_is_none(sound, why, tmp_path):
    film = write_video(tmp_path / "film.avi", sound=sound)
    with VideoWriter(tmp_path / "a.mp4", rate=RATE, sound=film) as writer:
        writer.add(np.zeros((32, 32, 3), np.uint8), 0.0, 0)
    assert writer.why_silent.startswith(why)
    assert bool(writer.why_silent) == bool(why)
    with av.open(str(tmp_path / "a.mp4")) as written:
        assert not written.streams.audio


def test_a_copy_appears_when_it_is_whole_and_not_after_an_error(tmp_path):
    target = tmp_path / "a.mp4"
    pixels = np.zeros((32, 32, 3), np.uint8)

    def fail():
        with whole_copy(target, rate=Fraction(25), sound=None) as writer:
            writer.add(pixels, None, 0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with whole_copy(target, rate=Fraction(25), sound=None):
        pass  # without a frame
    assert not list(tmp_path.iterdir())
    with whole_copy(target, rate=Fraction(25), sound=None) as writer:
        writer.add(pixels, None, 0)
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
