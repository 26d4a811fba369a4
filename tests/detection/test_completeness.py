"""A video is cut if its container says so, and never because it has fewer frames than its rate leads to expect."""

import pytest

from ssd300.detection.completeness import is_cut
from ssd300.detection.video import Video
from ssd300.errors import DataError
from videos import noise, write_clip

pytest.importorskip("av")
KINDS = {
    "end.mp4": {},
    "front.mp4": {"container": {"movflags": "faststart"}},
    "pieces.mp4": {"container": {"movflags": "frag_keyframe+empty_moov"}, "g": "4"},
    "a.mkv": {},
    "live.mkv": {"container": {"live": "1"}},
    "a.webm": {"codec": "libvpx"},
    "a.ts": {"form": "mpegts"},
    "a.m2ts": {"form": "mpegts", "container": {"mpegts_m2ts_mode": "1"}},
    "a.avi": {"codec": "mpeg4"},
    "a.flv": {},
    "a.wmv": {"codec": "wmv2", "form": "asf"},
    "a.mpg": {"codec": "mpeg2video", "form": "mpeg", "rate": 25},
    "a.3gp": {"codec": "mpeg4", "form": "3gp"},
}


def read(path):
    """How many frames come out, and whether they end with an error."""
    count = 0
    try:
        with Video(path) as video:
            for _ in video.frames():
                count += 1
    except DataError:
        return count, True
    return count, False


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_file_is_told_from_a_whole_one(name, tmp_path):
    film = write_clip(tmp_path / name, noise(12), **KINDS[name])
    assert not is_cut(film)
    assert read(film) == (12, False)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 6 // 10 - 1])
    assert is_cut(film)
    count, is_broken = read(film)
    assert is_broken
    assert count < 12


@pytest.mark.parametrize(
    ("name", "options"), [("a.mkv", {}), ("a.webm", {"codec": "libvpx"}), ("a.mp4", {}), ("a.ts", {"form": "mpegts"})]
)
def test_an_uneven_rate_is_whole(name, options, tmp_path):
    times = [33 * number for number in range(20)] + [660 + 1000 * number for number in range(6)]
    film = write_clip(tmp_path / name, noise(26), rate=30, times=times, **options)
    with Video(film) as video:
        frames = list(video.frames())
    assert len(frames) == 26
    assert [frame.time_s for frame in frames] == pytest.approx([time / 1000 for time in times], abs=2e-3)


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv", "one.avi"])
def test_a_single_frame_is_whole(name, tmp_path):
    assert read(write_clip(tmp_path / name, noise(1))) == (1, False)


def test_a_losslessly_trimmed_video_is_whole(tmp_path):
    """As phones and `ffmpeg -ss T -c copy` trim: the frames from the keyframe on stay, and an edit list hides some."""
    av = pytest.importorskip("av")
    full = write_clip(tmp_path / "full.mp4", noise(20), g="10", bf="0")
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(full)) as source, av.open(str(tmp_path / "trim.mp4"), "w", options=options) as out:
        given, copy = source.streams.video[0], out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(given):
            if packet.dts is not None and packet.pts * given.time_base >= 1:
                shift = round(1.5 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                out.mux(packet)
    assert read(tmp_path / "trim.mp4") == (5, False)


def test_bytes_that_were_appended_are_no_cut(tmp_path):
    film = write_clip(tmp_path / "a.mp4", noise(3))
    film.write_bytes(film.read_bytes() + b"\xff" * 100)
    assert read(film) == (3, False)
