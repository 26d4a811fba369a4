"""What `ssd300 shard` writes: all that was read, as it was, or a report of it."""

import gc
import json
import shutil
import tarfile

import numpy as np
import pytest

from packed import pack, write_dataset
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.samples import read_sample
from ssd300.data.shards.index import read_index
from ssd300.data.shards.writing import MOST_SAMPLED, _file_names, _Sample
from ssd300.system.stores import open_store


def by_id(dataset):
    return {annotation.image_id: annotation for annotation in dataset.annotations}


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(("split", "purpose"), [("train", "train"), ("test", "test")])
def test_samples_are_those_of_the_data(tmp_path, split, purpose):
    data = write_dataset(tmp_path / "data")
    shards = pack(data, tmp_path / "shards")
    whole, packed = (load_dataset(place, split=split, purpose=purpose) for place in (data, shards))
    assert packed.classes == whole.classes
    assert packed.objects_per_class() == whole.objects_per_class()
    theirs = by_id(packed)
    assert theirs.keys() == by_id(whole).keys()
    for image_id, annotation in by_id(whole).items():
        one, other = read_sample(annotation), read_sample(theirs[image_id])
        for name in ("image", "boxes_px", "labels", "difficult"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert one.size_hw == other.size_hw
        assert theirs[image_id].content() == annotation.image_path.read_bytes()


def test_the_same_data_gives_the_same_bytes_wherever_it_lies(tmp_path):
    data = write_dataset(tmp_path / "data")
    shutil.copytree(data, tmp_path / "elsewhere")
    pack(data, tmp_path / "a")
    pack(tmp_path / "elsewhere", tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_shards_have_the_size_that_was_asked_for_and_the_index_counts_them(tmp_path):
    place = pack(write_dataset(tmp_path / "data"), tmp_path / "shards")
    index = read_index(open_store(place))
    rows = index.splits["train"].shards
    assert len(rows) > 3
    for row in rows:
        assert (tmp_path / "shards" / row.name).stat().st_size == row.bytes <= 21_000
        with tarfile.open(tmp_path / "shards" / row.name) as archive:
            assert len(archive.getnames()) == 2 * row.images
    assert sum(row.images for row in rows) == index.splits["train"].images == 23
    assert len((tmp_path / "shards/index.json").read_bytes()) < 3000


def test_broken_images_are_left_out_and_reported_so_that_the_counts_add_up(tmp_path, capsys):
    data = write_dataset(tmp_path / "data")
    (data / "JPEGImages/t03.jpg").write_bytes(b"no image")
    whole = (data / "JPEGImages/t04.jpg").read_bytes()
    (data / "JPEGImages/t04.jpg").write_bytes(whole[: len(whole) // 2])
    assert main(["shard", str(data), "--out", str(tmp_path / "shards"), "--size", "20KB", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["splits"]["train"]
    assert (counts["images_in"], counts["images"], counts["left_out"]) == (23, 21, 2)
    rows = [json.loads(line) for line in (tmp_path / "shards/left-out.jsonl").read_text().splitlines()]
    assert sorted(row["image"][-7:] for row in rows) == ["t03.jpg", "t04.jpg"]
    assert all(row["error"] for row in rows)
    assert {"t03", "t04"}.isdisjoint(by_id(load_dataset(tmp_path / "shards")))


def test_held_out_images_that_are_trained_on_are_left_out(tmp_path, capsys):
    data = write_dataset(tmp_path / "data")
    shutil.copyfile(data / "JPEGImages/t05.jpg", data / "JPEGImages/e1.jpg")
    place = pack(data, tmp_path / "shards")
    out = capsys.readouterr()
    assert "test: 3 images, 2 written in 1 shard, 1 left out" in out.out
    assert "it is trained on" in out.err
    assert sorted(by_id(load_dataset(place, split="test", purpose="test"))) == ["e0", "e2"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # it does not close what it has read
def test_webdataset_reads_the_shards(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    data = write_dataset(tmp_path / "data")
    place = pack(data, tmp_path / "shards")
    names = sorted(str(path) for path in (tmp_path / "shards").glob("train-*.tar"))
    samples = list(webdataset.WebDataset(names, shardshuffle=False).decode("rgb8"))
    gc.collect()
    read = {sample["json"]["image_id"]: sample for sample in samples}
    assert sorted(read) == sorted(by_id(load_dataset(place)))
    for annotation in load_dataset(data).annotations:
        theirs = read[annotation.image_id]["json"]
        assert theirs["boxes"] == annotation.boxes_px.tolist()
        assert theirs["labels"] == annotation.labels.tolist()
        assert (theirs["height"], theirs["width"]) == annotation.size_hw
        assert read[annotation.image_id]["jpg"].shape == (30, 40, 3)


def test_a_sample_has_all_of_few_and_every_nth_of_many():
    few, many = _Sample(), _Sample()
    for number in range(MOST_SAMPLED):
        few.add(b"%d" % number)
    assert len(few.lines) == MOST_SAMPLED
    for number in range(5 * MOST_SAMPLED):
        many.add(b"%d" % number)
    assert MOST_SAMPLED / 2 < len(many.lines) <= MOST_SAMPLED
    assert many.lines[:3] == [b"0", b"8", b"16"]


def test_splits_get_plain_file_names_and_no_two_the_same():
    assert _file_names(["train2017", "Val set", "val_set", "../x", "日本"]) == [
        "train2017", "val_set", "val_set_2", "x", "split",
    ]  # fmt: skip
