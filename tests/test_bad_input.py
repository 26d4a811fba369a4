"""What a user hands over by mistake, through the command: the exit code, a message with what, where and what to do, and
nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from conftest import object_xml
from ssd300.cli import main

USAGE, DATA, WEIGHTS = 2, 3, 4
TRAIN = ["train", "{data}", "--out", "{tmp}/out", "--preset", "light", "--steps", "2", "--batch-size", "2",
         "--log-every", "1"]  # fmt: skip
DETECT = ["detect", "{data}/JPEGImages/p0.jpg", "-w", "{run}", "--out", "{tmp}/out"]
EVAL = ["eval", "{data}", "-w", "{run}"]


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def label(data: Path, objects: str) -> None:
    (data / "Annotations/p0.xml").write_text(
        f"<annotation><size><width>160</width><height>120</height></size>{objects}</annotation>"
    )


@pytest.mark.parametrize(
    ("spoil", "words", "code", "parts"),
    [
        (lambda d: shutil.rmtree(d / "JPEGImages"), TRAIN, DATA, ["JPEGImages"]),
        (lambda d: shutil.rmtree(d / "Annotations"), TRAIN, DATA, ["coloured"]),
        (lambda d: (d / "JPEGImages/p1.jpg").unlink(), TRAIN, DATA, ["p1.xml", "JPEGImages"]),
        (lambda d: (d / "Annotations/p1.xml").unlink(), TRAIN, DATA, ["p1.xml"]),
        (lambda d: cut(d / "Annotations/p1.xml"), TRAIN, DATA, ["p1.xml", "--on-bad-label"]),
        (lambda d: cut(d / "JPEGImages/p1.jpg"), [*TRAIN, "--workers", "0"], DATA, ["p1.jpg"]),
        (lambda d: cut(d / "JPEGImages/p1.jpg"), [*TRAIN, "--workers", "1"], DATA, ["p1.jpg"]),
        (lambda d: (d / "JPEGImages/p1.jpg").write_text("text"), TRAIN, DATA, ["p1.jpg"]),
        (lambda d: label(d, object_xml("red", (50, 5, 20, 60))), TRAIN, DATA, ["p0.xml", "50", "--on-bad-label"]),
        (lambda d: label(d, object_xml("red", (20, 5, 19, 60))), TRAIN, DATA, ["p0.xml", "empty"]),
        (lambda d: label(d, object_xml("red", (20, "nan", 50, 60))), TRAIN, DATA, ["p0.xml", "nan"]),
        (lambda d: label(d, object_xml("red", (20, 5, 500, 60))), TRAIN, DATA, ["p0.xml", "500"]),
        (lambda d: (d / "ImageSets/Main/trainval.txt").write_text("\n"), TRAIN, DATA, ["trainval"]),
        (lambda d: label(d, object_xml("rde", (1, 1, 50, 60))), [*TRAIN, "--classes", "{data}/names.txt"], DATA,
         ["rde", "red"]),
        (lambda d: label(d, object_xml("green", (1, 1, 50, 60))), [*EVAL, "--split", "trainval"], WEIGHTS,
         ["green", "blue, red"]),
        (lambda d: cut(d / "JPEGImages/p4.jpg"), EVAL, DATA, ["p4.jpg"]),
        (lambda d: cut(d / "JPEGImages/p0.jpg"), DETECT, DATA, ["p0.jpg"]),
        (lambda d: (d / "JPEGImages/p0.jpg").write_bytes(b""), DETECT, DATA, ["p0.jpg"]),
        (lambda d: (d / "JPEGImages/p0.jpg").unlink(), DETECT, DATA, ["p0.jpg", "no such"]),
    ],
)  # fmt: skip
def test_spoilt_data(coloured, light_run, tmp_path, capsys, spoil, words, code, parts):
    (coloured / "names.txt").write_text("red\nblue\n")
    spoil(coloured)
    got = main([word.format(data=coloured, run=light_run, tmp=tmp_path) for word in words])
    error = capsys.readouterr().err
    assert got == code, error
    assert "Traceback" not in error
    assert [part for part in parts if part not in error] == [], error
    if code:
        left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
        assert not {name for name in left if name.endswith((".safetensors", ".pt", ".tmp"))}


@pytest.mark.slow
def test_dropped_boxes_are_counted_in_the_log_and_in_the_run(coloured, tmp_path, capsys):
    label(coloured, object_xml("red", (50, 5, 20, 60)) + object_xml("blue", (5, 5, 50, 60)))
    words = [word.format(data=coloured, tmp=tmp_path) for word in TRAIN]
    assert main([*words, "--workers", "0", "--on-bad-label", "drop-box"]) == 0
    assert "drop-box" in capsys.readouterr().err
    assert json.loads((tmp_path / "out/data.json").read_text())["dropped"] == {"boxes": 1}


@pytest.mark.parametrize(
    ("content", "words", "code", "parts"),
    [
        (b"", ["info", "{file}"], WEIGHTS, ["old.pth"]),
        (b"PK\x03\x04 no archive", ["info", "{file}"], WEIGHTS, ["old.pth"]),
        (b"hello", ["detect", "{data}/JPEGImages", "-w", "{file}", "--out", "{tmp}/out"], WEIGHTS, ["old.pth"]),
        (b"hello", ["eval", "{data}", "-w", "{file}"], WEIGHTS, ["old.pth"]),
        (b"hello", [*TRAIN, "--init", "{file}"], WEIGHTS, ["old.pth"]),
        (b"hello", ["detect", "{file}", "-w", "{run}", "--out", "{tmp}/out"], DATA, ["old.pth"]),
        (b"hello", ["detect", "{data}/JPEGImages", "-w", "{tmp}/nowhere", "--out", "{tmp}/out"], WEIGHTS, ["nowhere"]),
        (b"hello", ["info", "{tmp}/nowhere"], WEIGHTS, ["nowhere"]),
        (b"hello", ["prepare", "{data}", "--out", "{data}"], USAGE, ["coloured", "--overwrite"]),
        (b"hello", ["demo", "--out", "{data}"], USAGE, ["coloured", "--overwrite"]),
        (b"hello", ["prepare", "--voc07", "{data}", "--voc12", "{tmp}/nowhere", "--out", "{tmp}/out"], DATA,
         ["nowhere"]),
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_should_be(coloured, light_run, tmp_path, capsys, content, words, code, parts):
    (tmp_path / "old.pth").write_bytes(content)
    names = {"file": tmp_path / "old.pth", "data": coloured, "run": light_run, "tmp": tmp_path}
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    got = main([word.format(**names) for word in words])
    error = capsys.readouterr().err
    assert got == code, error
    assert "Traceback" not in error
    assert [part for part in parts if part not in error] == [], error
    after = {path for path in tmp_path.rglob("*") if path.is_file()} - set(before)
    assert {path.name for path in after} <= {"train.log", "command.txt"}


def test_weights_of_other_classes_are_refused_with_both(coloured, light_run, tmp_path, capsys):
    for path in (coloured / "Annotations").glob("*.xml"):
        path.write_text(path.read_text().replace("blue", "cyan"))
    assert main(["eval", str(coloured), "-w", str(light_run), "--split", "trainval"]) == WEIGHTS
    error = capsys.readouterr().err
    assert "cyan" in error
    assert "blue" in error


def test_images_without_objects_and_without_detections_are_normal(coloured, light_run, tmp_path, capsys):
    for path in (coloured / "Annotations").glob("*.xml"):
        if path.stem != "p1":
            path.write_text("<annotation></annotation>")
    Image.new("RGB", (1, 1)).save(coloured / "JPEGImages/p2.jpg")
    words = [word.format(data=coloured, tmp=tmp_path) for word in TRAIN]
    assert main([*words, "--workers", "0"]) == 0
    assert main(["eval", str(coloured), "-w", str(light_run)]) == 0
    found = tmp_path / "found"
    assert main(["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--out", str(found),
                 "--min-score", "1"]) == 0  # fmt: skip
    rows = [json.loads(line) for line in (found / "detections.jsonl").read_text().splitlines()]
    assert [row["detections"] for row in rows] == [[]] * 5


@pytest.mark.slow
def test_images_that_cannot_be_read_are_skipped_and_counted_where_the_policy_says_so(coloured, tmp_path, capsys):
    cut(coloured / "JPEGImages/p1.jpg")
    shutil.copy(coloured / "Annotations/p4.xml", coloured / "Annotations/p5.xml")
    shutil.copy(coloured / "JPEGImages/p4.jpg", coloured / "JPEGImages/p5.jpg")
    (coloured / "ImageSets/Main/test.txt").write_text("p4\np5\n")
    cut(coloured / "JPEGImages/p5.jpg")
    policy = ["--on-bad-image", "skip"]
    words = [word.format(data=coloured, tmp=tmp_path) for word in TRAIN]
    assert main([*words, *policy, "--workers", "0"]) == 0
    assert "2 images" in capsys.readouterr().err
    lines = [line for line in (tmp_path / "out/train.log").read_text().splitlines() if line.startswith("skipped")]
    assert len(lines) == 2  # p1 of those trained on, in each epoch, and p5 of those evaluated on
    assert {name for name in ("p1.jpg", "p5.jpg") for line in lines if name in line} == {"p1.jpg", "p5.jpg"}
    assert json.loads((tmp_path / "out/summary.json").read_text())["skipped_images"] == 2
    assert main(["eval", str(coloured), "-w", str(tmp_path / "out"), *policy, "--json"]) == 0
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert (report["images"], report["skipped_images"]) == (1, 1)
    assert "p5.jpg" in output.err
