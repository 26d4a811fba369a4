import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.labeling.image_choice import listed_numbers
from ssd300.labeling.opening import open_labels


@pytest.fixture
def photos(tmp_path):
    """Six different images, copies of two of them, one that is broken, and a text."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(6):
        pixels = random.integers(0, 255, (15, 20, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=95)
        if number < 2:
            Image.fromarray(pixels).save(folder / f"{number}-copy.jpg", quality=70)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    (folder / "notes.md").write_text("mine")
    return folder


def as_json(capsys, *words):
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_image_is_chosen_a_copy_unread_or_left(photos, light_run, capsys):
    found = as_json(capsys, "next", photos, "-w", light_run, "--count", "5")
    assert (found["images"], found["with_labels"], found["by"], found["seed"]) == (9, 0, "entropy", 0)
    assert [one["why"] for one in found["chosen"]] == ["unsure"] * 4 + ["random"]
    values = [one["value"] for one in found["chosen"] if one["why"] == "unsure"]
    assert values == sorted(values, reverse=True)
    assert [Path(one["image"]).name for one in found["unread"]] == ["broken.jpg"]
    assert len(found["chosen"]) + len(found["near_copies"]) + len(found["unread"]) + found["left"] == found["images"]
    assert found == as_json(capsys, "next", photos, "-w", light_run, "--count", "5")


def test_copies_are_chosen_only_if_they_are_wanted(photos, light_run, capsys):
    found = as_json(capsys, "next", photos, "-w", light_run, "--count", "50")
    assert (len(found["chosen"]), found["left"]) == (6, 0)
    stems = {Path(one["image"]).stem.removesuffix("-copy") for one in found["chosen"]}
    assert stems == set("012345")
    for copy in found["near_copies"]:
        assert Path(copy["image"]).stem.removesuffix("-copy") == Path(copy["of"]).stem.removesuffix("-copy")
    kept = as_json(capsys, "next", photos, "-w", light_run, "--keep-near-copies")
    assert (len(kept["chosen"]), kept["near_copies"]) == (8, [])


def test_the_list_is_read_by_other_commands_and_the_table_says_what_became_of_all(photos, light_run, tmp_path, capsys):
    out = tmp_path / "elsewhere" / "next.txt"
    assert main(["next", str(photos), "-w", str(light_run), "--count", "3", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    listed = out.read_text().splitlines()
    assert [line.split()[-1] for line in shown.out.splitlines()[1:4]] == listed
    assert "3 chosen, 2 as the detector is least sure of them and 1 at random" in shown.out
    assert "1 not read" in shown.out
    assert f"ssd300 label {photos} --list {out} --weights {light_run}" in shown.out
    assert f"ssd300 detect {out} --weights {light_run}" in shown.out
    assert "not read: " in shown.err
    again = as_json(capsys, "next", out, "-w", light_run, "--count", "3")
    assert sorted(one["image"] for one in again["chosen"]) == sorted(listed)


@pytest.mark.parametrize("by", ["mean-entropy", "near-threshold", "flip"])
def test_every_measure_orders_the_images(photos, light_run, capsys, by):
    found = as_json(capsys, "next", photos, "-w", light_run, "--by", by, "--random-share", "0", "--count", "3")
    assert [one["why"] for one in found["chosen"]] == ["unsure"] * 3


def test_of_a_dataset_the_images_without_labels(coloured, light_run, capsys):
    Image.new("RGB", (50, 40), (200, 30, 30)).save(coloured / "JPEGImages/new.jpg")
    words = ["next", coloured, "-w", light_run]
    found = as_json(capsys, *words)
    assert (found["images"], found["with_labels"], found["left_out_with_labels"]) == (6, 5, 0)
    assert [Path(one["image"]).name for one in found["chosen"] if not one["has_labels"]] == ["new.jpg"]
    only = as_json(capsys, *words, "--unlabelled-only")
    assert [Path(one["image"]).name for one in only["chosen"]] == ["new.jpg"]
    assert only["left_out_with_labels"] == 5
    assert as_json(capsys, *words, "--split", "test")["images"] == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["{photos}", "--count", "0"], 2, "--count is 0"),
        (["{photos}", "--random-share", "20"], 2, "--random-share is 20; it must be 0 to 1"),
        (["{photos}", "--by", "entropie"], 2, "entropy"),
        (["{photos}", "--out", "{photos}"], 2, "--out names a folder"),
        (["{photos}", "--out", "{photos}/notes.md"], 2, "the file exists"),
        (["{photos}", "--overwrite"], 2, "--overwrite is for the file of --out"),
        (["{photos}", "{run}"], 2, "is weights and no data"),
        ([], 2, "no image was named"),
        (["{photos}/none"], 3, "there is no such image"),
        (["camera:0"], 2, "only image files can be chosen"),
        (["https://example.org/a.jpg"], 2, "only image files can be chosen"),
        (["{photos}/broken.jpg"], 3, "no image can be read; the first:"),
        (["{photos}", "--split", "test"], 3, "no data of a known format"),
        (["{coloured}", "--unlabeled-only"], 3, "all 5 images have labels"),
        (["{coloured}", "--split", "tset"], 3, "there is no split 'tset'"),
        (["{photos}", "--device", "tpu"], 2, "tpu"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_what_to_do(
    photos, coloured, light_run, tmp_path, capsys, words, code, message
):
    words = [word.format(photos=photos, run=light_run, coloured=coloured) for word in words]
    assert main(["next", *words, "--weights", str(light_run)]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert (photos / "notes.md").read_text() == "mine"


def test_weights_that_are_missing(photos, tmp_path, capsys):
    assert main(["next", str(photos)]) == 2
    assert "--weights" in capsys.readouterr().err
    assert main(["next", str(photos), "-w", str(tmp_path / "none.safetensors")]) == 4


def test_the_next_command_labels_what_was_chosen(photos, coloured, light_run, tmp_path, capsys):
    out = tmp_path / "next.txt"
    words = ["--weights", str(light_run), "--count", "2"]

    def steps(*data, more=()):
        assert main(["next", *map(str, data), *words, *more]) == 0
        return [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("    ssd300 label")]

    assert steps(coloured) == [f"ssd300 label {coloured} --weights {light_run}"]
    assert steps(coloured, more=["--out", str(out), "--format", "voc"]) == [
        f"ssd300 label {coloured} --format voc --list {out} --weights {light_run}"
    ]
    chosen = [Path(line) for line in out.read_text().splitlines()]
    files = open_labels(coloured)
    assert [files.images[number] for number in listed_numbers(out, files.images, print)] == chosen
    assert steps(f"{photos}/*.jpg") == [f"ssd300 label {photos} --weights {light_run}"]
    assert steps(out) == steps(photos, coloured / "JPEGImages") == []  # parts of a dataset, or two folders
