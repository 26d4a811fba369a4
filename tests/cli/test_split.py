import json

import numpy as np
import pytest
from PIL import Image

from conftest import object_xml, write_voc
from ssd300.cli import main
from ssd300.data import load_dataset


@pytest.fixture
def unsplit(tmp_path):
    """Ten images without lists; b0 to b4 are near copies of a0 to a4."""
    root = write_voc(
        tmp_path / "own", {f"{copy}{n}": object_xml("nut", (1, 1, 9, 9)) for copy in "ab" for n in range(5)}, {}
    )
    random = np.random.default_rng(0)
    for number in range(5):
        pixels = random.integers(0, 255, (15, 20, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        for copy, quality in (("a", 95), ("b", 60)):
            Image.fromarray(pixels).save(root / f"JPEGImages/{copy}{number}.jpg", quality=quality)
    return root


def test_the_lists_are_read_as_data_and_copies_are_in_one_part(unsplit, tmp_path, capsys):
    out = tmp_path / "lists"
    assert main(["split", str(unsplit), "--out", str(out), "--holdout", "0.4"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1].split() == ["images", "6", "4"]
    assert "held out: 4 of 10 images (0.400; wanted 0.4), seed 0" in shown.err
    parts = [load_dataset(out, split=split) for split in ("train", "test")]
    stems = [{annotation.image_path.stem for annotation in part.annotations} for part in parts]
    assert len(stems[0] | stems[1]) == 10
    assert not {stem[1] for stem in stems[0]} & {stem[1] for stem in stems[1]}
    assert main(["check", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["near_copies"] == []


def test_a_seed_gives_the_same_lists_and_json_has_the_counts(unsplit, tmp_path, capsys):
    summaries = []
    for name, seed in (("one", 1), ("same", 1), ("two", 2), ("three", 3)):
        words = ["split", str(unsplit), "--out", str(tmp_path / name), "--holdout", "0.2", "--seed", str(seed)]
        assert main([*words, "--json"]) == 0
        summaries.append(json.loads(capsys.readouterr().out))
    assert summaries[0] == summaries[1]
    assert (summaries[0]["share"], summaries[0]["seed"]) == (0.2, 1)
    assert (summaries[0]["train"]["images"], summaries[0]["test"]["images"]) == (8, 2)
    assert len({summary["sha256"]["TEST_images.json"] for summary in summaries}) > 1


def test_paths_are_relative_to_the_lists_unless_they_shall_be_absolute(unsplit, tmp_path):
    for name, more in (("relative", []), ("absolute", ["--absolute-paths"])):
        assert main(["split", str(unsplit), "--out", str(tmp_path / name), "--holdout", "0.2", *more]) == 0
        (first, *_) = json.loads((tmp_path / name / "TEST_images.json").read_text())
        assert first.startswith("../own/JPEGImages/" if name == "relative" else str(unsplit))


@pytest.mark.parametrize("share", ["0", "1", "20"])
def test_a_share_that_is_none_is_refused_and_nothing_is_written(unsplit, tmp_path, capsys, share):
    assert main(["split", str(unsplit), "--out", str(tmp_path / "lists"), "--holdout", share]) == 2
    assert "between 0 and 1" in capsys.readouterr().err
    assert not (tmp_path / "lists").exists()


def test_an_existing_folder_is_not_changed(unsplit, tmp_path, capsys):
    out = tmp_path / "lists"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    words = ["split", str(unsplit), "--out", str(out), "--holdout", "0.2"]
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert main([*words, "--overwrite"]) == 0
    assert (out / "TEST_images.json").is_file()
