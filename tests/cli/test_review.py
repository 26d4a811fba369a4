import json
import os
import sys

import pytest

from ssd300.cli import main


def as_json(capsys, *words):
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_table_counts_what_the_json_lists(coloured, light_run, capsys):
    words = ["review", coloured, "-w", light_run, "--split", "trainval", "--min-score", "0.3"]
    found = as_json(capsys, *words)
    assert (found["images"], found["trained_on_images"], found["skipped"]) == (4, None, [])
    assert sum(map(sum, (one.values() for one in found["counts"].values()))) == len(found["cases"]) > 0
    assert [one["suspicion"] for one in found["cases"]] == sorted(
        (one["suspicion"] for one in found["cases"]), reverse=True
    )
    assert main([*map(str, words), "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["class", "labels", "missed", "other-class", "doubled", "loose", "unseen"]
    assert lines[3].split()[:2] == ["all", "3"]
    assert f"and {len(found['cases']) - 2} more; --json has them all" in lines
    assert f"{len(found['cases'])} cases on 4 images; confident detections have a confidence of 0.3 or more" in lines
    assert lines[-3].endswith("--split trainval --html review.html")
    assert lines[-1].split() == ["ssd300", "label", str(coloured), "--weights", str(light_run)]


def test_the_page_is_written_and_not_overwritten_by_mistake(coloured, light_run, tmp_path, capsys):
    page = tmp_path / "review.html"
    words = ["review", str(coloured), "-w", str(light_run), "--html", str(page), "--min-score", "0.3"]
    assert main(words) == 0
    assert "data:image/jpeg" in page.read_text()
    assert main(words) == 2
    assert "--overwrite replaces the file" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the name is not possible elsewhere")
def test_a_name_that_is_no_text_is_written_out(coloured, light_run, tmp_path, capsys):
    name = os.fsdecode(b"p\xe9\n4")
    for folder, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".xml")):
        (coloured / folder / f"p4{suffix}").rename(coloured / folder / f"{name}{suffix}")
    (coloured / "ImageSets/Main/test.txt").unlink()
    (coloured / "ImageSets/Main/trainval.txt").unlink()
    words = ["review", coloured, "-w", light_run, "--min-score", "0.3"]
    found = as_json(capsys, *words)
    assert any("\\udce9" in one["image"] for one in found["cases"])
    assert main([*map(str, words), "--html", str(tmp_path / "r.html"), "--top", "500"]) == 0
    assert "\\udce9\\n4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["{data}", "--top", "0"], 2, "--top is 0"),
        (["{data}", "--min-score", "50"], 2, "--min-score is 50"),
        (["{data}", "--match-iou", "0"], 2, "--match-iou is 0"),
        (["{data}", "--match-iou", "0.8"], 2, "none may be below the one before it"),
        (["{data}", "--html", "{data}"], 2, "--html names a folder"),
        (["{data}", "--overwrite"], 2, "--overwrite is for the file of --html"),
        (["{data}", "{run}"], 2, "is weights and no data"),
        (["{data}", "--split", "tset"], 3, "there is no split 'tset'"),
        (["{data}/JPEGImages"], 3, "no data of a known format"),
        (["{data}", "--only", "green"], 3, "green"),
        ([], 3, "no data was named"),
        (["{data}", "--tpo", "3"], 2, "--top"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_what_to_do(coloured, light_run, capsys, words, code, message):
    words = [word.format(data=coloured, run=light_run) for word in words]
    assert main(["review", *words, "--weights", str(light_run)]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_all_mistakes_are_said_at_once(coloured, light_run, capsys):
    assert main(["review", str(coloured), "-w", str(light_run), "--top", "0", "--match-iou", "2"]) == 2
    error = capsys.readouterr().err
    assert "--top is 0" in error
    assert "--match-iou is 2" in error


@pytest.mark.slow
def test_weights_that_were_trained_on_the_images_say_so(coloured, tmp_path, capsys):
    options = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]
    run = tmp_path / "run"
    assert main(["train", str(coloured), "--out", str(run), *options]) == 0
    capsys.readouterr()
    assert main(["review", str(coloured), "-w", str(run), "--split", "trainval"]) == 0
    assert "the weights were trained on these images, with labels that they repeat" in capsys.readouterr().err
    assert as_json(capsys, "review", coloured, "-w", run, "--split", "trainval")["trained_on_images"] == 4
    assert as_json(capsys, "review", coloured, "-w", run)["trained_on_images"] == 0
