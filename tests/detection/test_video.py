"""Videos that are made here: frames and times come out as they went in."""

import pytest

from ssd300.detection import video as video_module
from ssd300.detection.video import Video, is_live, is_video
from ssd300.errors import DataError, SSDError
from videos import FRAMES, RATE, cut_off, shade, write_video

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


def test_a_video_is_known_by_its_name():
    assert all(map(is_video, ("a.MP4", "camera:0", "rtsp://x/y", "http://x/a.webm?k=1")))
    assert not any(map(is_video, ("a.jpg", "http://x/a.jpg", "mp4")))


@pytest.mark.parametrize("source", ["camera:front", "camera:"])
def test_a_camera_without_a_number_is_refused(source, monkeypatch):
    monkeypatch.setattr(video_module.sys, "platform", "linux")
    with pytest.raises(SSDError, match="a camera has a number"):
        Video(source)


def test_cameras_and_streams_are_live():
    assert all(map(is_live, ("camera:0", "rtsp://x/y")))
    assert not any(map(is_live, ("a.mp4", "http://x/a.mp4")))


@pytest.mark.parametrize("most", [1, 3, FRAMES, FRAMES + 1])
def test_no_more_frames_are_read_than_asked_for(most, film):
    with Video(str(film)) as video:
        assert len(list(video.frames(most))) == min(most, FRAMES)


def test_frames_before_a_fault_are_given_before_it_is_raised(tmp_path):
    numbers = []
    with Video(str(cut_off(write_video(tmp_path / "film.mkv")))) as video:
        numbered = (numbers.append(frame.number) for frame in video.frames())
        with pytest.raises(DataError, match="it breaks off after"):
            list(numbered)
    assert numbers == list(range(len(numbers)))
    assert FRAMES / 4 < len(numbers) < FRAMES
