"""A run on cameras: what came before they are lost or interrupted is saved, and what comes after is reported."""

import os
import signal

import pytest

from ssd300.cli import main
from ssd300.detection.video import Video
from ssd300.errors import DataError
from videos import FRAMES, opened


def detect(light_run, out, *words):
    return main(["detect", *map(str, words), "-w", str(light_run), "--out", str(out), "--top-k", "3"])


class Camera:
    """A film in place of a camera, which is disconnected or interrupted after some frames."""

    def __init__(self, film, end):
        self.film, self.end = film, end

    def __call__(self, source):
        video = Video(str(self.film))
        video.source, video.live, video.expected = str(source), True, 0
        frames = video.frames

        def some(*choice):
            for frame in frames(*choice):
                if frame.number == 12:
                    self.end()
                yield frame

        video.frames = some
        return video


def test_frames_of_a_disconnected_camera_are_saved(film, light_run, tmp_path, monkeypatch, capsys):
    def lost():
        raise DataError("it breaks off after 12 frames (No such device)", where="camera:0")

    monkeypatch.setattr("ssd300.detection.run.Video", Camera(film, lost))
    assert detect(light_run, tmp_path / "out", "camera:0") == 3
    assert "breaks off" in capsys.readouterr().err
    assert len((tmp_path / "out/detections.jsonl").read_text().splitlines()) == 12
    with opened(tmp_path / "out/camera_0.mp4") as written:
        assert written.streams.video[0].frames == 12


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_a_camera_and_its_frames_are_saved(number, code, film, light_run, tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.detection.run.Video", Camera(film, lambda: os.kill(os.getpid(), number)))
    assert detect(light_run, tmp_path / "out", "camera:0") == code
    rows = (tmp_path / "out/detections.jsonl").read_text().splitlines()
    assert 5 <= len(rows) <= FRAMES
    with opened(tmp_path / "out/camera_0.mp4") as written:
        assert written.streams.video[0].frames == len(rows)
    assert not list((tmp_path / "out").glob(".*"))


def test_sources_after_an_interrupted_camera_are_reported(film, light_run, coloured, tmp_path, monkeypatch, capsys):
    """Every source is processed or reported, and the interruption is the exit code, whatever comes after it."""
    image = coloured / "JPEGImages/p0.jpg"
    monkeypatch.setattr("ssd300.detection.run.Video", Camera(film, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert detect(light_run, tmp_path / "out", "camera:0", image, "camera:1") == 130
    rows = (tmp_path / "out/detections.jsonl").read_text().splitlines()
    assert rows
    assert all('"camera:0"' in row for row in rows)
    printed = capsys.readouterr().err.splitlines()
    assert [line for line in printed if line.startswith("not processed")] == [
        f"not processed: {image}",
        "not processed: camera:1",
    ]


def test_a_missing_camera_is_an_error(light_run, tmp_path, capsys):
    pytest.importorskip("av")
    assert detect(light_run, tmp_path / "out", "camera:63") == 3
    assert "the camera cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
