import json
import os
import shutil

import pytest

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.image_digests import image_digests
from ssd300.evaluation.trained_on import trained_on_images

pytestmark = pytest.mark.slow

TRAIN = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]


@pytest.fixture
def run(coloured, tmp_path):
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), *TRAIN]) == 0
    return tmp_path / "run"


def split(coloured, name, ids):
    (coloured / f"ImageSets/Main/{name}.txt").write_text("".join(f"{one}\n" for one in ids))


def evaluated(capsys, data, weights, name):
    """The number in the JSON, and what is printed beside the mAP."""
    words = ["eval", str(data), "-w", str(weights), "--split", name]
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    count = json.loads(capsys.readouterr().out)["trained_on_images"]
    assert main(words) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "were trained on" in line]
    return count, *lines


NOTHING = "images that the weights were trained on: mAP says nothing about new images"


def test_images_that_were_trained_on_are_counted_and_said(coloured, run, tmp_path, capsys):
    split(coloured, "mixed", ["p4", "p1", "p2"])
    split(coloured, "part", ["p1", "p2"])
    best, moved = run / "weights/best.safetensors", tmp_path / "moved.safetensors"
    shutil.copy(best, moved)
    for weights in (run, best):
        assert evaluated(capsys, coloured, weights, "trainval") == (4, f"these are {NOTHING}")
        assert evaluated(capsys, coloured, weights, "part") == (2, f"these are {NOTHING}")
        assert evaluated(capsys, coloured, weights, "mixed") == (2, f"2 of these are {NOTHING}")
        assert evaluated(capsys, coloured, weights, "test") == (0,)
    assert evaluated(capsys, coloured, moved, "trainval") == (4, f"these are {NOTHING}")
    assert evaluated(capsys, coloured, moved, "part") == (None,)  # the card has the fingerprint of the whole alone


def test_an_image_is_recognized_under_another_name_and_with_other_labels(coloured, run, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(coloured, other)
    (other / "JPEGImages/p1.jpg").rename(other / "JPEGImages/z.jpg")
    (other / "Annotations/p0.xml").rename(other / "Annotations/z.xml")
    split(other, "test", ["z", "p4"])
    assert evaluated(capsys, other, run, "test") == (1, f"1 of these are {NOTHING}")


def test_the_page_says_it_first(coloured, run, tmp_path):
    assert main(["eval", str(coloured), "-w", str(run), "--split", "trainval", "--out", str(tmp_path / "out")]) == 0
    assert f"These are {NOTHING}." in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_what_is_not_known_is_null(coloured, run, light_run, capsys):
    assert evaluated(capsys, coloured, light_run, "trainval") == (None,)  # a card without a fingerprint
    data = json.loads((run / "data.json").read_text())
    split(coloured, "part", ["p1", "p2"])
    for other in (data | {"fingerprint": "of another run"}, data | {"image_digests": None}, [], "{"):
        (run / "data.json").write_text(other if isinstance(other, str) else json.dumps(other))
        assert evaluated(capsys, coloured, run, "part") == (None,)
    (run / "data.json").unlink()
    assert evaluated(capsys, coloured, run, "part") == (None,)


def test_images_that_were_skipped_do_not_count(coloured, run):
    dataset = load_dataset(coloured, split="trainval")
    source = {"fingerprint": dataset.fingerprint()}
    assert trained_on_images(run, source, dataset.fingerprint(), dataset.annotations[1:]) == 3


def test_digests_take_eight_bytes_an_image_and_nothing_waits_for_a_pipe(coloured, run, tmp_path):
    images = sorted((coloured / "JPEGImages").iterdir())
    digests = image_digests(images)
    assert all(len(digest) == 16 for digest in digests)
    assert json.loads((run / "data.json").read_text())["image_digests"] == "".join(digests[:4])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "twin.jpg").write_bytes(images[0].read_bytes())
    assert image_digests([tmp_path / "pipe", tmp_path, tmp_path / "none", tmp_path / "twin.jpg"]) == [
        None, None, None, digests[0]
    ]  # fmt: skip
