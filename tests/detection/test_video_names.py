"""What is a video: by name, and without a usual ending by content. TypeScript is none."""

from pathlib import Path

import pytest

from ssd300.detection import video_names
from ssd300.detection.sources import find_sources
from ssd300.detection.video import Video
from ssd300.detection.video_names import is_live, is_video
from ssd300.errors import SSDError
from videos import noise, write_clip


def test_a_video_is_known_by_its_name():
    assert all(map(is_video, ("a.MP4", "camera:0", "rtsp://x/y", "http://x/a.webm?k=1", Path("CLIP.MTS"), "a.3gp")))
    assert not any(map(is_video, ("a.jpg", "http://x/a.jpg", "mp4", Path("camera:0"))))


@pytest.mark.parametrize("source", ["camera:front", "camera:"])
def test_a_camera_without_a_number_is_refused(source, monkeypatch):
    pytest.importorskip("av")
    monkeypatch.setattr(video_names.sys, "platform", "linux")
    with pytest.raises(SSDError, match="a camera has a number"):
        Video(source)


def test_cameras_and_streams_are_live():
    assert all(map(is_live, ("camera:0", "rtsp://x/y")))
    assert not any(map(is_live, ("a.mp4", "http://x/a.mp4", Path("camera:0"))))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv", "a.ts", "a.wmv"])
def test_a_video_without_an_ending_is_known_by_its_content(name, tmp_path):
    form = {".ts": "mpegts", ".wmv": "asf"}.get(Path(name).suffix)
    film = write_clip(tmp_path / name, noise(2), codec="mpeg4" if form == "asf" else "libx264", form=form)
    assert is_video(film.rename(tmp_path / "film"))
    (tmp_path / "notes").write_text("no video")
    assert not is_video(tmp_path / "notes")


def test_code_is_no_video(tmp_path):
    for name in ("index.ts", "lib.mts"):
        (tmp_path / name).write_text("export const size: number = 300; // größer\n", encoding="utf-8")
    film = write_clip(tmp_path / "film.ts", noise(2), form="mpegts")
    assert find_sources([str(tmp_path)]) == [film]
