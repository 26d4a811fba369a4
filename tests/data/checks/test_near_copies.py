import shutil

import pytest
from PIL import Image, ImageOps

from data.checks.spoilt import assert_found, run

RULE = "near-copy-across-splits"


def recompressed(root, source="a", copy="e"):
    with Image.open(root / f"JPEGImages/{source}.jpg") as image:
        ImageOps.mirror(image).save(root / f"JPEGImages/{copy}.jpg", quality=60)


def test_a_held_out_image_is_reported_with_its_nearest_copy(data, capsys):
    assert_found(data, capsys, RULE, (recompressed, "warning", "e.jpg", None))
    _, report = run(capsys, data)
    (problem,) = report["problems"]
    assert "the image of test is nearly the same as" in problem["message"]
    assert "a.jpg of trainval" in problem["message"]
    (pair,) = report["near_copies"]
    assert pair["file"] == problem["file"]
    assert pair["other_file"].endswith("a.jpg")
    assert (pair["split"], pair["other_split"]) == ("test", "trainval")
    assert 0 < pair["distance"] < 0.2


def test_near_copies_in_one_split_are_no_problem(data, capsys):
    recompressed(data, "a", "b")
    recompressed(data, "e", "f")
    assert run(capsys, data)[1]["problems"] == []


def test_the_training_split_is_not_held_out_and_each_pair_is_reported_once(data, capsys):
    lists = data / "ImageSets/Main"
    (lists / "trainval.txt").unlink()
    for split, ids in {"val": "ab", "train": "cd"}.items():
        (lists / f"{split}.txt").write_text("\n".join(ids) + "\n")
    recompressed(data, "a", "c")
    recompressed(data, "d", "e")
    recompressed(data, "b", "f")
    pairs = {
        (pair["split"], pair["file"][-5], pair["other_split"], pair["other_file"][-5])
        for pair in run(capsys, data)[1]["near_copies"]
    }
    one = {("val", "a", "train", "c"), ("test", "e", "train", "d")}
    assert pairs - one in ({("test", "f", "val", "b")}, {("val", "b", "test", "f")})


def test_an_image_that_is_the_same_byte_for_byte_is_reported_once(data, capsys):
    shutil.copy(data / "JPEGImages/a.jpg", data / "JPEGImages/e.jpg")
    _, report = run(capsys, data)
    assert [problem["rule"] for problem in report["problems"]] == ["duplicate-across-splits"]
    assert report["near_copies"] == []


def test_broken_images_have_no_copies_and_without_pixels_none_is_searched(data, capsys):
    recompressed(data)
    (data / "JPEGImages/b.jpg").write_bytes(b"text")
    assert len(run(capsys, data)[1]["near_copies"]) == 1
    assert run(capsys, data, "--no-pixels")[1]["near_copies"] == []
    assert run(capsys, data, "--split", "test")[1]["near_copies"] == []


@pytest.mark.parametrize(
    ("name", "count"), [("chess", 29), ("bccd", 0), pytest.param("facemask", 4, marks=pytest.mark.slow)]
)
def test_real_data(shared, capsys, name, count):
    _, report = run(capsys, shared / "data" / name)
    assert len(report["near_copies"]) == count
    assert len([problem for problem in report["problems"] if problem["rule"] == RULE]) == count
