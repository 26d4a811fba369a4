"""Videos that are made here: frames, times and sound come out as they went in; what breaks off gives what it had."""

import json
import os
import signal
from fractions import Fraction

import numpy as np
import pytest

from ssd300.cli import main
from ssd300.detection import video as video_module
from ssd300.detection.video import Video, VideoWriter, is_video
from ssd300.errors import DataError, SSDError

av = pytest.importorskip("av")

RATE = Fraction(30000, 1001)
FRAMES = 40


def write_video(path, *, sound=None, rotation=0, size=(64, 96), options=None):
    """Frames that are brighter and brighter, a red one every tenth; `sound` names a codec."""
    with av.open(str(path), "w", options=options or {}) as out:
        images = out.add_stream("mpeg4", rate=RATE, options={"qscale": "2"})
        images.height, images.width, images.pix_fmt = *size, "yuv420p"
        tone = out.add_stream(sound, rate=44_100, layout="mono") if sound else None
        sent = 0
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(shade(number, size), format="rgb24")
            out.mux(images.encode(frame))
            while tone is not None and sent / 44_100 < number / RATE:
                piece = av.AudioFrame(format="s16", layout="mono", samples=1024)
                piece.planes[0].update((np.sin(np.arange(sent, sent + 1024) / 16) * 9000).astype(np.int16).tobytes())
                piece.sample_rate, piece.pts = 44_100, sent
                sent += 1024
                out.mux(tone.encode(piece))
        out.mux(images.encode(None))
        if tone is not None:
            out.mux(tone.encode(None))
    return path


def shade(number, size):
    return np.full((*size, 3), (200, 20, 20) if number % 10 == 0 else (number * 5,) * 3, np.uint8)


def cut(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    return path


@pytest.fixture
def film(tmp_path):
    return write_video(tmp_path / "film.mp4", sound="aac")


def detect(light_run, out, *words):
    return main(["detect", *map(str, words), "-w", str(light_run), "--out", str(out), "--top-k", "3"])


def test_frames_are_what_was_put_in(film):
    with Video(str(film)) as video:
        assert (video.rate, video.expected) == (RATE, FRAMES)
        frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(FRAMES))
    for frame in frames:
        assert abs(frame.pixels.astype(int) - shade(frame.number, (64, 96))).mean() < 6
        assert frame.time_s == pytest.approx(frame.number / float(RATE), abs=1e-3)


def test_video_in_gives_video_out(film, light_run, tmp_path):
    assert detect(light_run, tmp_path / "out", film) == 0
    with av.open(str(tmp_path / "out/film.mp4")) as written, av.open(str(film)) as given:
        images, sound = written.streams.video[0], written.streams.audio[0]
        assert images.average_rate == RATE
        assert images.frames == FRAMES
        assert (images.height, images.width) == (64, 96)
        assert sound.codec_context.name == "aac"
        copied = [bytes(packet) for packet in written.demux(sound) if packet.size]
        original = [bytes(packet) for packet in given.demux(given.streams.audio[0]) if packet.size]
        assert len(copied) >= len(original) - 2  # the encoder's run-in, before the first image
        assert set(copied) <= set(original)
    rows = [json.loads(line) for line in (tmp_path / "out/detections.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(FRAMES))
    assert rows[-1]["time_s"] == pytest.approx((FRAMES - 1) / float(RATE), abs=1e-3)
    assert {row["image"] for row in rows} == {str(film)}


def test_forms_of_a_image_are_forms_of_a_frame(film, light_run, tmp_path):
    assert detect(light_run, tmp_path / "out", film, "--frames", 3, "--save", "voc", "csv") == 0
    names = sorted(path.name for path in (tmp_path / "out/voc").iterdir())
    assert names == ["film_000000.xml", "film_000001.xml", "film_000002.xml"]
    assert not (tmp_path / "out/film.mp4").exists()


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_video_that_breaks_off_gives_what_it_had(name, light_run, tmp_path, capsys):
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    film = cut(write_video(tmp_path / name, options=options))
    assert detect(light_run, tmp_path / "out", film) == 3
    assert "breaks off after" in capsys.readouterr().err
    rows = (tmp_path / "out/detections.jsonl").read_text().splitlines()
    assert FRAMES / 4 < len(rows) < FRAMES
    with av.open(str(tmp_path / "out/film.mp4")) as written:
        assert written.streams.video[0].frames == len(rows)


def test_a_video_without_an_end_and_what_is_none(light_run, tmp_path, capsys):
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    write_video(tmp_path / "b.mp4")
    assert detect(light_run, tmp_path / "out", tmp_path / "a.mp4", tmp_path / "b.mp4") == 3
    said = capsys.readouterr().err
    assert "the video cannot be opened" in said
    assert "1 of 2 sources could not be read; the others are done" in said
    assert (tmp_path / "out/b.mp4").is_file()
    assert detect(light_run, tmp_path / "none", tmp_path / "a.mp4") == 3
    assert not (tmp_path / "none").exists()


def test_a_folder_of_images_and_videos(film, coloured, light_run, tmp_path):
    folder = coloured / "JPEGImages"
    film.rename(folder / "p2b.mp4")
    assert detect(light_run, tmp_path / "out", folder) == 0
    rows = [json.loads(line) for line in (tmp_path / "out/detections.jsonl").read_text().splitlines()]
    names = [row["image"] for row in rows]
    assert names == sorted(names)
    assert len(names) == 5 + FRAMES


def test_sound_that_an_mp4_cannot_hold_is_left_out_and_told(light_run, tmp_path, capsys):
    film = write_video(tmp_path / "film.avi", sound="pcm_s16le")
    assert detect(light_run, tmp_path / "out", film) == 0
    assert "its sound (pcm_s16le) cannot be copied" in capsys.readouterr().err
    with av.open(str(tmp_path / "out/film.mp4")) as written:
        assert not written.streams.audio


def test_odd_sides_and_uneven_times(tmp_path):
    times = [0.0, 0.04, 0.2, 0.24, 1.0]
    with VideoWriter(tmp_path / "a.mp4", rate=Fraction(25)) as writer:
        for number, time in enumerate(times):
            writer.add(np.full((33, 51, 3), 90, np.uint8), time, number)
    with Video(str(tmp_path / "a.mp4")) as video:
        frames = list(video.frames())
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
    assert frames[0].pixels.shape == (32, 50, 3)


def test_sound_alone_has_no_images(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        tone = out.add_stream("aac", rate=44_100, layout="mono")
        piece = av.AudioFrame(format="s16", layout="mono", samples=1024)
        piece.sample_rate = 44_100
        out.mux(tone.encode(piece))
        out.mux(tone.encode(None))
    with pytest.raises(DataError, match="no images"):
        Video(str(tmp_path / "a.mp4"))


def test_what_is_a_video_by_its_name():
    assert all(map(is_video, ("a.MP4", "camera:0", "rtsp://x/y", "http://x/a.webm?k=1")))
    assert not any(map(is_video, ("a.jpg", "http://x/a.jpg", "mp4")))


class Camera:
    """A film in place of a camera, which is lost, or told to stop, after some frames."""

    def __init__(self, film, end):
        self.film, self.end = film, end

    def __call__(self, source):
        video = Video(str(self.film))
        video.source, video.expected = source, 0
        frames = video.frames

        def some():
            for frame in frames():
                if frame.number == 12:
                    self.end()
                yield frame

        video.frames = some
        return video


def test_a_lost_camera_ends_cleanly(film, light_run, tmp_path, monkeypatch, capsys):
    def lost():
        raise DataError("it breaks off after 12 frames (No such device)", where="camera:0")

    monkeypatch.setattr("ssd300.detection.run.Video", Camera(film, lost))
    assert detect(light_run, tmp_path / "out", "camera:0") == 3
    assert "breaks off" in capsys.readouterr().err
    assert len((tmp_path / "out/detections.jsonl").read_text().splitlines()) == 12
    with av.open(str(tmp_path / "out/camera_0.mp4")) as written:
        assert written.streams.video[0].frames == 12


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_a_camera_and_keeps_what_it_gave(number, code, film, light_run, tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.detection.run.Video", Camera(film, lambda: os.kill(os.getpid(), number)))
    assert detect(light_run, tmp_path / "out", "camera:0") == code
    rows = (tmp_path / "out/detections.jsonl").read_text().splitlines()
    assert 5 <= len(rows) <= FRAMES
    with av.open(str(tmp_path / "out/camera_0.mp4")) as written:
        assert written.streams.video[0].frames == len(rows)
    assert not list((tmp_path / "out").glob(".*"))


def test_a_camera_that_is_not_there(light_run, tmp_path, capsys):
    assert detect(light_run, tmp_path / "out", "camera:63") == 3
    assert "the camera cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["camera:front", "camera:"])
def test_a_camera_has_a_number(source, monkeypatch):
    monkeypatch.setattr(video_module.sys, "platform", "linux")
    with pytest.raises(SSDError, match="a camera has a number"):
        Video(source)
