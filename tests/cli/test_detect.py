"""`ssd300 detect`: its options, and mistakes in them."""

import csv
import io
import json
import os
import sys
from xml.etree import ElementTree

import pytest
from PIL import Image

from ssd300.cli import main


@pytest.fixture
def words(coloured, light_run):
    return ["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--top-k", "3", "--out"]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_class_can_have_a_threshold_of_its_own(coloured, light_run, tmp_path, capsys):
    words = ["detect", str(coloured / "JPEGImages/p3.jpg"), "-w", str(light_run), "--json", "--min-score", "0.01"]
    assert main([*words, "--min-score-of", "red=1", "--out", str(tmp_path / "a")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["images"]
    assert {one["label"] for one in row["detections"]} == {"blue"}
    for wrong in ("red", "green=0.5", "red=high", "red=2"):
        assert main([*words, "--min-score-of", wrong, "--out", str(tmp_path / "b")]) == 2
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("option", ["--tile", "--frames", "--batch-size"])
def test_a_count_below_one_is_refused(option, words, tmp_path, capsys):
    assert main([*words, str(tmp_path / "out"), option, "0"]) == 2
    assert "must be 1 or more" in capsys.readouterr().err


def test_a_source_is_not_overwritten(words, coloured, capsys):
    before = files(coloured)
    assert main([*words, str(coloured / "JPEGImages"), "--overwrite"]) == 2
    assert "overwrite a source" in capsys.readouterr().err
    assert files(coloured) == before
    assert main([*words, str(coloured / "JPEGImages"), "--overwrite", "--save", "jsonl"]) == 0


def test_a_hyphen_is_standard_input(words, coloured, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{coloured / 'JPEGImages/p0.jpg'}\n"))
    assert main(["detect", "-", *words[2:], str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/p0.jpg").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--min-score-of", "red=high", "'high' is not a score"),
        ("--min-score-of", "rad=0.3", "--min-score-of: the weights have no class 'rad'"),
        ("--min-score-of", "red", "CLASS=SCORE"),
        ("--top-k", "0", "--top-k is 0; it must be 1 or more"),
    ],
)
def test_a_message_names_its_option(option, value, message, words, tmp_path, capsys):
    words = [word for word in words if word not in ("--top-k", "3")]
    assert main([*words, str(tmp_path / "out"), option, value]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_folders_are_numbered_where_none_is_named_and_the_same_command_resumes(
    words, coloured, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    command = words[:-1]
    assert main(command) == 0
    assert "written to detections\n" in capsys.readouterr().err
    first = files(tmp_path / "detections")
    assert main(command) == 0
    assert "written to detections-2" in capsys.readouterr().err
    assert files(tmp_path / "detections") == first
    assert set(files(tmp_path / "detections-2")) == set(first)

    def stop(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ssd300.detection.output_folder.save_table", stop)  # when all images are done
        assert main(command) == 130
    assert "the same command resumes" in capsys.readouterr().err
    assert main([*command[:-1], "4"]) == 0  # another one
    assert "written to detections-4" in capsys.readouterr().err
    assert main(command) == 0
    assert "resuming: 5 of 5 are done" in capsys.readouterr().err
    assert set(files(tmp_path / "detections-3")) == set(first)
    assert main([*command, "--overwrite"]) == 0
    assert not (tmp_path / "detections-5").exists()


def test_a_video_says_before_anything_is_loaded_that_its_extra_is_missing(light_run, tmp_path, monkeypatch, capsys):
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    monkeypatch.setitem(sys.modules, "av", None)
    assert main(["detect", str(tmp_path / "clip.mp4"), "-w", str(tmp_path / "none"), "--out", str(tmp_path / "o")]) == 2
    err = capsys.readouterr().err
    assert "videos and cameras need PyAV" in err
    assert "pip install" in err
    assert "no such weights" in err


def test_images_that_reach_the_limit_of_detections_are_told(coloured, light_run, tmp_path, capsys):
    image = str(coloured / "JPEGImages/p0.jpg")
    words = ["detect", image, "-w", str(light_run), "--min-score", "0.01", "--top-k"]
    assert main([*words, "1", "--out", str(tmp_path / "few")]) == 0
    assert "1 image reached the limit of 1 detection per image and may have more" in capsys.readouterr().err
    assert main([*words, "100000", "--out", str(tmp_path / "all")]) == 0
    assert "reached the limit" not in capsys.readouterr().err


NAMES = (
    b"caf\xe9.jpg",
    b"new\nline.jpg",
    b"what?.jpg",
    b"c#.jpg",
    b"\x01.jpg",
    "🐕 ☕.jpg".encode(),
    b"[1].jpg",
    b"x" * 240 + b".jpg",
)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_of_any_bytes_is_in_every_output(words, coloured, tmp_path, capsys):
    folder = tmp_path / "names"
    folder.mkdir()
    for name in NAMES:
        (folder / os.fsdecode(name)).write_bytes((coloured / "JPEGImages/p0.jpg").read_bytes())
    (folder / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"")
    formats = ["image", "jsonl", "json", "csv", "coco", "voc", "yolo", "comp4", "crops"]
    assert main(["detect", str(folder), *words[2:], str(tmp_path / "out"), "--save", *formats]) == 3
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == len(NAMES)
    assert "bad\\udcff.jpg" in printed.err
    rows = [json.loads(line) for line in (tmp_path / "out/detections.jsonl").read_text("utf-8").splitlines()]
    named = {row["image"].removeprefix(f"{folder}/") for row in rows}
    assert named == {os.fsdecode(name).replace("\udce9", "\\udce9") for name in NAMES}
    for file in (tmp_path / "out/voc").iterdir():
        assert ElementTree.parse(file).findtext("filename")
    assert len(list((tmp_path / "out").glob("*.jpg"))) == len(NAMES)
    with (tmp_path / "out/detections.csv").open(encoding="utf-8", newline="") as file:
        assert {row[0].removeprefix(f"{folder}/") for row in csv.reader(file)} == {"image", *named}


def test_pages_and_classes_without_font_are_noted(words, tmp_path, monkeypatch, capsys):
    page = Image.new("RGB", (40, 30))
    page.save(tmp_path / "scan.jpg", "TIFF", save_all=True, append_images=[page] * 4)
    monkeypatch.setattr("ssd300.images.fonts.undrawable", lambda _names: ["кошка"])
    assert main(["detect", str(tmp_path / "scan.jpg"), *words[2:], str(tmp_path / "out")]) == 0
    noted = capsys.readouterr().err
    assert "1 of 5 pages or frames is used" in noted
    assert "кошка" in noted
