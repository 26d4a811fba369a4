"""A folder of detections: gone on with after an interrupt, the same as without one; addresses; huge images."""

import functools
import http.server
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.detection.output_folder import PROGRESS, DetectionFolder
from ssd300.detection.outputs import save_image
from ssd300.errors import UsageError
from ssd300.images.read import MAX_PIXELS


@pytest.fixture
def words(coloured, light_run):
    return ["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--top-k", "3", "--out"]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def interrupted(words, tmp_path, monkeypatch, capsys):
    """A folder in which three of five images are done."""

    def save(folder, name, *rest):
        if name == "p3":
            raise KeyboardInterrupt
        save_image(folder, name, *rest)

    monkeypatch.setattr("ssd300.detection.run.save_image", save)
    assert main([*words, str(tmp_path / "out"), "--save", "image", "jsonl", "csv", "comp4"]) == 130
    monkeypatch.undo()
    assert "of 5 are done; the same command resumes" in capsys.readouterr().err
    return tmp_path / "out"


def test_the_same_command_goes_on(interrupted, words, tmp_path, capsys):
    assert (interrupted / PROGRESS).is_file()
    assert not (interrupted / "detections.jsonl").exists()
    command = [*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]
    assert main(command) == 0
    assert "resuming: 3 of 5 are done" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "whole"), "--save", "image", "jsonl", "csv", "comp4"]) == 0
    assert files(interrupted) == files(tmp_path / "whole")


def test_another_command_does_not(interrupted, words, capsys):
    before = files(interrupted)
    assert main([*words, str(interrupted), "--save", "jsonl"]) == 2
    assert "an unfinished run of another command" in capsys.readouterr().err
    assert files(interrupted) == before
    assert main([*words, str(interrupted), "--save", "jsonl", "--overwrite"]) == 0
    assert not (interrupted / PROGRESS).exists()


def test_a_line_that_was_not_written_to_its_end_is_done_again(interrupted, words):
    progress = interrupted / PROGRESS
    progress.write_bytes(progress.read_bytes()[:-20])
    assert main([*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]) == 0
    assert len((interrupted / "detections.jsonl").read_text().splitlines()) == 5


def test_a_image_that_was_mended_meanwhile_is_read(coloured, words, tmp_path):
    broken = coloured / "JPEGImages/p1.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(b"broken")
    folder = DetectionFolder(tmp_path / "out", {"a": 1})
    folder.end(0, skipped="broken")
    folder.add(1, "p2", {"image": "p2.jpg"}, done=True)
    folder.close(finished=False)
    broken.write_bytes(whole)
    again = DetectionFolder(tmp_path / "out", {"a": 1})
    assert (again.done, again.skipped) == ({1}, {})
    assert list(again.rows()) == [("p2", {"image": "p2.jpg"})]
    again.close(finished=False)
    with pytest.raises(UsageError, match="another command"):
        DetectionFolder(tmp_path / "out", {"a": 2})


def test_addresses_are_fetched(coloured, light_run, tmp_path, capsys):
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


def test_a_score_for_one_class(coloured, light_run, tmp_path, capsys):
    words = ["detect", str(coloured / "JPEGImages/p3.jpg"), "-w", str(light_run), "--json", "--min-score", "0.01"]
    assert main([*words, "--min-score-of", "red=1", "--out", str(tmp_path / "a")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["images"]
    assert {one["label"] for one in row["detections"]} == {"blue"}
    for wrong in ("red", "green=0.5", "red=high", "red=2"):
        assert main([*words, "--min-score-of", wrong, "--out", str(tmp_path / "b")]) == 2
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("option", ["--tile", "--frames", "--batch-size"])
def test_counts_are_one_or_more(option, words, tmp_path, capsys):
    assert main([*words, str(tmp_path / "out"), option, "0"]) == 2
    assert "must be 1 or more" in capsys.readouterr().err


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


def test_an_interrupt_before_anything_is_recorded_is_gone_on_with(words, tmp_path, monkeypatch):
    """Images that are written already, and not noted yet, are made again."""
    assert main([*words, str(tmp_path / "whole")]) == 0

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(DetectionFolder, "add", interrupt)
    assert main([*words, str(tmp_path / "out")]) == 130
    monkeypatch.undo()
    assert (tmp_path / "out/p0.jpg").exists()
    (tmp_path / "out/.p1.xml.99.partial").touch()  # as kill -9 leaves it
    assert main([*words, str(tmp_path / "out")]) == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_other_images_are_no_other_command(interrupted, words, coloured, capsys):
    (coloured / "JPEGImages/a.jpg").write_bytes((coloured / "JPEGImages/p0.jpg").read_bytes())
    assert main([*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]) == 2
    assert "an unfinished run on other images (5 then)" in capsys.readouterr().err


def test_a_source_is_not_written_over(words, coloured, capsys):
    before = files(coloured)
    assert main([*words, str(coloured / "JPEGImages"), "--overwrite"]) == 2
    assert "overwrite a source" in capsys.readouterr().err
    assert files(coloured) == before
    assert main([*words, str(coloured / "JPEGImages"), "--overwrite", "--save", "jsonl"]) == 0


def test_standard_input_is_a_hyphen(words, coloured, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{coloured / 'JPEGImages/p0.jpg'}\n"))
    assert main(["detect", "-", *words[2:], str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/p0.jpg").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--min-score-of", "red=high", "'high' is not a score"),
        ("--min-score-of", "rad=0.3", "there is no class 'rad'"),
        ("--min-score-of", "red", "CLASS=SCORE"),
        ("--top-k", "0", "--top-k is 1 or more"),
    ],
)
def test_messages_name_the_option(option, value, message, words, tmp_path, capsys):
    words = [word for word in words if word not in ("--top-k", "3")]
    assert main([*words, str(tmp_path / "out"), option, value]) == 2
    assert message in capsys.readouterr().err
