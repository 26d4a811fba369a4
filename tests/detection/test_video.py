"""Videos that are made here: frames and times come out as they went in."""

import pytest

from ssd300.detection.frame_choice import FrameChoice
from ssd300.detection.video import Video
from ssd300.errors import DataError
from videos import FRAMES, RATE, cut_off, noise, shade, write_clip, write_video

av = pytest.importorskip("av")


def test_frames_and_times_come_out_as_they_went_in(film):
    with Video(str(film)) as video:
        assert (video.rate, video.expected) == (RATE, FRAMES)
        frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(FRAMES))
    for frame in frames:
        assert abs(frame.pixels.astype(int) - shade(frame.number, (64, 96))).mean() < 6
        assert frame.time_s == pytest.approx(frame.number / float(RATE), abs=1e-3)


def test_a_file_with_sound_alone_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        tone = out.add_stream("aac", rate=44_100, layout="mono")
        piece = av.AudioFrame(format="s16", layout="mono", samples=1024)
        piece.sample_rate = 44_100
        out.mux(tone.encode(piece))
        out.mux(tone.encode(None))
    with pytest.raises(DataError, match="no images"):
        Video(str(tmp_path / "a.mp4"))


@pytest.mark.parametrize("most", [1, 3, FRAMES, FRAMES + 1])
def test_no_more_frames_are_read_than_asked_for(most, film):
    with Video(str(film)) as video:
        assert len(list(video.frames(FrameChoice(most=most)))) == min(most, FRAMES)


def test_frames_before_a_fault_are_given_before_it_is_raised(tmp_path):
    numbers = []
    with Video(str(cut_off(write_video(tmp_path / "film.mkv")))) as video:
        numbered = (numbers.append(frame.number) for frame in video.frames())
        with pytest.raises(DataError, match="it breaks off after"):
            list(numbered)
    assert numbers == list(range(len(numbers)))
    assert FRAMES / 4 < len(numbers) < FRAMES


@pytest.mark.parametrize(("size", "before"), [(700, ""), (-100, "The frames before are done. ")])
def test_a_cut_file_says_what_came_before_and_what_to_do(size, before, tmp_path):
    film = write_clip(tmp_path / "film.mkv", noise(12), g="1")
    film.write_bytes(film.read_bytes()[:size])
    with Video(film) as video, pytest.raises(DataError, match="it breaks off after") as raised:
        list(video.frames())
    assert raised.value.fix == f"{before}Get the whole file."


@pytest.mark.parametrize(
    ("source", "live", "fix"),
    [
        ("http://a/film.mp4", False, "Try again, or download it and name the file."),
        ("rtsp://a/live", True, "Is it still sent?"),
        ("camera:0", True, "Is it still connected?"),
    ],
)
def test_only_a_camera_can_be_connected(source, live, fix, film, monkeypatch):
    def lost(*_):
        yield from ()
        raise OSError("No such device")

    monkeypatch.setattr("ssd300.detection.video.shown_images", lost)
    with Video(film) as video:
        video.source, video.live, video.path = source, live, None
        with pytest.raises(DataError, match="No such device") as raised:
            next(video.frames())
    assert raised.value.fix == fix
