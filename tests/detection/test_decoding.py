"""Frames that cannot be decoded keep their places, and are reported."""

import pytest

from ssd300.detection.frame_choice import FrameChoice
from ssd300.detection.video import Video
from ssd300.errors import DataError
from videos import noise, write_clip

av = pytest.importorskip("av")


def packets(path):
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


@pytest.fixture
def damaged(tmp_path):
    """Three frames that are keyframes each: one overwritten in its middle, one in whole, and one at the end."""

    def make(name, **options):
        film = write_clip(tmp_path / name, noise(20), g="1", **options)
        data = bytearray(film.read_bytes())
        for number in (5, 12, 19):
            place, size = packets(film)[number]
            start = place + (size // 4 if number == 5 else 4)
            data[start : place + size] = b"\xff" * (place + size - start)
        film.write_bytes(data)
        return film

    return make


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_the_other_frames_keep_their_numbers(name, damaged):
    with Video(damaged(name, codec="libx264")) as video:
        frames = list(video.frames())
        assert sorted([*video.damaged, *(frame.number for frame in frames)]) == list(range(20))
        assert set(video.damaged) >= {12, 19}
        assert "could not be decoded: " in video.damage()
    for frame in frames:
        assert frame.time_s == pytest.approx(frame.number / 10, abs=2e-3)


def test_only_frames_that_are_looked_at_are_told(damaged):
    with Video(damaged("a.mp4")) as video:
        numbers = [frame.number for frame in video.frames(FrameChoice(every=6))]
        assert video.damaged == [12]
    assert numbers == [0, 6, 18]


def test_hidden_reference_images_are_no_frames(tmp_path):
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good", "b": "100k"}
    film = write_clip(tmp_path / "a.webm", noise(40), codec="libvpx", **options)
    with Video(film) as video:
        assert [frame.number for frame in video.frames()] == list(range(40))
        assert not video.damage()


def test_a_video_without_a_frame_that_can_be_decoded_is_an_error(tmp_path):
    film = write_clip(tmp_path / "a.mkv", noise(3), g="1")
    data = bytearray(film.read_bytes())
    for place, size in packets(film):
        data[place + 4 : place + size + 4] = bytes(size)
    film.write_bytes(data)
    with Video(film) as video, pytest.raises(DataError):
        list(video.frames())
