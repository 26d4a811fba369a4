"""A run over images, addresses and videos: what is written, skipped and reported."""

import functools
import http.server
import json
import threading
from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.images.header import MAX_PIXELS
from videos import FRAMES, RATE, cut_off, noise, opened, write_clip, write_video


@pytest.fixture
def words(coloured, light_run):
    return ["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--top-k", "3", "--out"]


def detect(light_run, out, *words):
    return main(["detect", *map(str, words), "-w", str(light_run), "--out", str(out), "--top-k", "3"])


def test_addresses_are_fetched_and_missing_ones_skipped(coloured, light_run, tmp_path, capsys):
    handler = functools.partial(QuietHandler, directory=coloured / "JPEGImages")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            words = [f"{address}/p3.jpg?size=big", f"{address}/none.jpg", "-w", str(light_run), "--top-k", "2"]
            assert main(["detect", *words, "--out", str(tmp_path / "out"), "--json"]) == 3
        finally:
            server.shutdown()
            thread.join()
    answer = json.loads(capsys.readouterr().out)
    assert [row["image"] for row in answer["images"]] == [f"{address}/p3.jpg?size=big"]
    assert answer["skipped"] == [f"{address}/none.jpg"]
    assert (tmp_path / "out/p3.jpg").is_file()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.slow
def test_batches_of_any_size_give_the_same(words, tmp_path):
    assert main([*words, str(tmp_path / "a"), "--save", "jsonl"]) == 0
    assert main([*words, str(tmp_path / "b"), "--save", "jsonl", "--batch-size", "3"]) == 0
    rows = [
        [one["score"] for line in (tmp_path / name / "detections.jsonl").read_text().splitlines()
         for one in json.loads(line)["detections"]]
        for name in "ab"
    ]  # fmt: skip
    assert rows[0] == pytest.approx(rows[1], abs=1e-5)


@pytest.mark.slow
def test_a_hundred_megapixels_work_and_more_than_the_limit_is_refused(light_run, tmp_path, capsys):
    pixels = np.zeros((10_000, 10_000, 3), np.uint8)
    pixels[4000:6000, 4000:6000] = 200, 30, 30
    Image.fromarray(pixels).save(tmp_path / "large.png", compress_level=1)
    Image.new("1", (MAX_PIXELS // 10_000 + 1, 10_000)).save(tmp_path / "huge.png")
    words = ["-w", str(light_run), "--out", str(tmp_path / "out"), "--top-k", "3", "--save", "jsonl"]
    assert main(["detect", str(tmp_path / "large.png"), str(tmp_path / "huge.png"), *words]) == 3
    assert f"the limit is {MAX_PIXELS:,}" in capsys.readouterr().err
    (row,) = map(json.loads, (tmp_path / "out/detections.jsonl").read_text().splitlines())
    assert (row["width"], row["height"]) == (10_000, 10_000)


def test_a_broken_image_is_skipped_reported_and_counted(coloured, light_run, tmp_path, capsys):
    folder, out = coloured / "JPEGImages", tmp_path / "out"
    (folder / "p1.jpg").write_bytes(b"no image")
    words = ["detect", str(folder), "-w", str(light_run), "--out", str(out)]
    assert main([*words, "--json"]) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["skipped"] == [str(folder / "p1.jpg")]
    assert "1 of 5 images could not be read; the others are done" in printed.err
    assert sorted(path.name for path in out.glob("*.jpg")) == ["p0.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]
    rows = [json.loads(line) for line in (out / "detections.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == [str(folder / f"p{n}.jpg") for n in (0, 2, 3, 4)]


def test_nothing_is_written_where_nothing_can_be_read(coloured, light_run, tmp_path):
    bad = coloured / "bad.jpg"
    bad.write_bytes(b"")
    out = tmp_path / "out"
    assert main(["detect", str(bad), "-w", str(light_run), "--out", str(out)]) == 3
    assert not out.exists()


def test_no_two_images_share_a_file(coloured, light_run, tmp_path):
    sources = []
    for name in ("a/x.jpg", "b/x.jpg", "c/x_2.jpg"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes((coloured / "JPEGImages/p4.jpg").read_bytes())
        sources.append(str(path))
    out = tmp_path / "out"
    assert main(["detect", *sources, "-w", str(light_run), "--out", str(out), "--save", "image", "jsonl", "comp4"]) == 0
    assert [row.get("file") for row in rows_of(out)] == [None, "x_3", None]
    assert sorted(path.stem for path in out.glob("*.jpg")) == ["x", "x_2", "x_3"]
    ids = {line.split()[0] for line in (out / "comp4/comp4_det_test_red.txt").read_text().splitlines()}
    assert ids <= {"x", "x_2", "x_3"}


def test_a_video_gives_an_annotated_video_and_a_row_per_frame(film, light_run, tmp_path):
    assert detect(light_run, tmp_path / "out", film) == 0
    with opened(tmp_path / "out/film.mp4") as written, opened(film) as given:
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


def test_files_per_image_are_written_per_frame(film, light_run, tmp_path):
    assert detect(light_run, tmp_path / "out", film, "--frames", 3, "--save", "voc", "csv") == 0
    names = sorted(path.name for path in (tmp_path / "out/voc").iterdir())
    assert names == ["film_000000.xml", "film_000001.xml", "film_000002.xml"]
    assert not (tmp_path / "out/film.mp4").exists()


def rows_of(folder):
    return [json.loads(line) for line in (folder / "detections.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("option", "step"), [(("--every", 10), 10), (("--fps", 3), 10)])
def test_fewer_frames_keep_their_numbers_and_times(option, step, film, light_run, tmp_path):
    assert detect(light_run, tmp_path / "out", film, *option) == 0
    rows = rows_of(tmp_path / "out")
    assert [row["frame"] for row in rows] == list(range(0, FRAMES, step))
    assert [row["time_s"] for row in rows] == pytest.approx([row["frame"] / float(RATE) for row in rows], abs=1e-3)
    with opened(tmp_path / "out/film.mp4") as written:
        times = [float(image.time) for image in written.decode(video=0)]
        assert written.streams.audio
    assert times == pytest.approx([row["time_s"] for row in rows], abs=1e-3)


def test_tracks_stand_in_the_rows_and_as_a_column(film, light_run, tmp_path):
    pytest.importorskip("trackers")
    for name, words in (("plain", ()), ("tracks", ("--track",))):
        assert detect(light_run, tmp_path / name, film, "--frames", 6, *words, "--save", "jsonl", "csv") == 0
    plain, tracks = rows_of(tmp_path / "plain"), rows_of(tmp_path / "tracks")
    assert [row | {"detections": None} for row in tracks] == [row | {"detections": None} for row in plain]
    found = [one["track"] for row in tracks for one in row["detections"]]
    assert len(found) == sum(len(row["detections"]) for row in plain)
    assert all(number is None or number > 0 for number in found)
    header = (tmp_path / "tracks/detections.csv").read_text().splitlines()[0]
    assert header == (tmp_path / "plain/detections.csv").read_text().splitlines()[0] + ",track"


def test_frames_that_cannot_be_decoded_are_reported_and_the_rest_is_saved(light_run, tmp_path, capsys):
    film = write_clip(tmp_path / "film.mp4", noise(6), g="1")
    with opened(film) as given:
        place, size = [(packet.pos, packet.size) for packet in given.demux(video=0) if packet.size][3]
    data = bytearray(film.read_bytes())
    data[place + 4 : place + size] = b"\xff" * (size - 4)
    film.write_bytes(data)
    assert detect(light_run, tmp_path / "out", film, "--save", "jsonl") == 3
    assert "1 frame could not be decoded: 3" in capsys.readouterr().err
    assert [row["frame"] for row in rows_of(tmp_path / "out")] == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
@pytest.mark.slow
def test_frames_before_a_break_are_saved(name, light_run, tmp_path, capsys):
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    film = cut_off(write_video(tmp_path / name, options=options))
    assert detect(light_run, tmp_path / "out", film) == 3
    assert "breaks off after" in capsys.readouterr().err
    rows = (tmp_path / "out/detections.jsonl").read_text().splitlines()
    assert FRAMES / 4 < len(rows) < FRAMES
    with opened(tmp_path / "out/film.mp4") as written:
        assert written.streams.video[0].frames == len(rows)


@pytest.mark.slow
def test_a_file_that_is_not_a_video_is_skipped(light_run, tmp_path, capsys):
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    write_video(tmp_path / "b.mp4")
    assert detect(light_run, tmp_path / "out", tmp_path / "a.mp4", tmp_path / "b.mp4") == 3
    printed = capsys.readouterr().err
    assert "the video cannot be opened" in printed
    assert "1 of 2 sources could not be read; the others are done" in printed
    assert (tmp_path / "out/b.mp4").is_file()
    assert detect(light_run, tmp_path / "none", tmp_path / "a.mp4") == 3
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_folder_of_images_and_videos(film, coloured, light_run, tmp_path):
    folder = coloured / "JPEGImages"
    film.rename(folder / "p2b.mp4")
    assert detect(light_run, tmp_path / "out", folder) == 0
    rows = [json.loads(line) for line in (tmp_path / "out/detections.jsonl").read_text().splitlines()]
    names = [row["image"] for row in rows]
    assert names == sorted(names)
    assert len(names) == 5 + FRAMES


@pytest.mark.slow
def test_sound_that_an_mp4_cannot_hold_is_dropped_and_reported(light_run, tmp_path, capsys):
    film = write_video(tmp_path / "film.avi", sound="pcm_s16le")
    assert detect(light_run, tmp_path / "out", film) == 0
    assert "its sound (pcm_s16le) cannot be copied" in capsys.readouterr().err
    with opened(tmp_path / "out/film.mp4") as written:
        assert not written.streams.audio


def test_the_progress_ends_at_what_was_done(coloured, light_run, tmp_path, monkeypatch):
    """An uneven rate makes an estimate wrong, and what is skipped is not awaited."""
    film = write_clip(tmp_path / "film.mkv", noise(4), times=[0, 20, 1000, 2000], rate=50)
    for name in ("bad.mp4", "bad.jpg"):
        (tmp_path / name).write_bytes(b"none")
    seen = []
    monkeypatch.setattr("ssd300.cli.detect.image_progress", lambda *_: nullcontext(lambda *both: seen.append(both)))
    sources = (film, tmp_path / "bad.mp4", coloured / "JPEGImages/p0.jpg", tmp_path / "bad.jpg")
    assert detect(light_run, tmp_path / "out", *sources, "--save", "jsonl") == 3
    assert max(total for _, total in seen) > 50
    assert (5, 6) in seen
    assert seen[-1] == (5, 5)
