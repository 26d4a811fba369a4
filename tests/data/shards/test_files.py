"""Damaged shards are named with both checksums; copies of remote ones stay within the limit."""

import os
import threading
from pathlib import Path

import pytest

from packed import pack, write_dataset
from ssd300.data import load_dataset
from ssd300.data.augmented_images import AugmentedImages
from ssd300.data.sampling import Key
from ssd300.data.shards import files as shard_files
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.dataset import open_shards
from ssd300.data.shards.index import ShardError, read_index
from ssd300.errors import DataError, UsageError
from ssd300.system.stores import open_store


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("shards")
    return Path(pack(write_dataset(root / "data"), root / "shards"))


@pytest.fixture
def copy(shards, tmp_path):
    for path in shards.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def remote(shards, tmp_path, monkeypatch):
    """The shards at an address in memory."""
    monkeypatch.setattr(shard_files, "PAUSE_S", 0.0)
    store = open_store(f"memory://{tmp_path.name}/shards")
    for path in shards.iterdir():
        store.put(path.name, path)
    return store


def bytes_of(folder):
    return sum(path.stat().st_size for path in folder.glob("*.tar"))


def row_of(place):
    return read_index(open_store(place)).splits["train"].shards[1]


@pytest.mark.parametrize("damage", ["missing", "truncated", "longer", "changed"])
def test_a_damaged_shard_is_named_with_the_checksum_that_it_should_have(copy, damage):
    row = row_of(copy)
    path = copy / row.name
    dataset = load_dataset(copy)
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        other = {"truncated": content[:-600], "longer": content + b"x", "changed": content[:700] + b"?" + content[701:]}
        path.write_bytes(other[damage])
    with pytest.raises(ShardError) as raised:
        list(dataset.annotations)
    assert raised.value.where == str(path)
    assert row.sha256 in raised.value.what
    assert damage in raised.value.what
    assert "ssd300 shard" in raised.value.fix
    if damage != "changed":  # what its size tells is told when the data is read
        with pytest.raises(ShardError):
            load_dataset(copy)


def test_a_shard_that_changes_after_it_was_read_is_found(copy):
    dataset = load_dataset(copy)
    assert len(list(dataset.annotations)) == 23
    path = copy / row_of(copy).name
    content = path.read_bytes()
    path.write_bytes(content[:700] + b"?" + content[701:])
    os.utime(path, ns=(0, 0))
    with pytest.raises(ShardError, match="changed"):
        list(dataset.annotations)


def test_a_damaged_shard_is_no_bad_image_that_is_skipped(copy):
    dataset = load_dataset(copy)
    images = AugmentedImages(dataset.annotations, size=30, seed=0, augment=False, on_bad_image="skip")
    (copy / row_of(copy).name).unlink()
    found = [images[Key(0, number)] for number in range(len(dataset))]
    assert any(isinstance(one, ShardError) for one in found)
    assert not any(item.skipped for item in found if not isinstance(item, ShardError))


@pytest.mark.parametrize("change", ["{", "", ', "version": 9}', ', "version": 1, "splits": {}}', ', "version": 1}'])
def test_a_damaged_or_newer_index_is_refused(copy, change):
    (copy / "index.json").write_text('{"format": "ssd300-shards"' + change)
    with pytest.raises(DataError, match=r"damaged|version 9"):
        load_dataset(copy)


def test_an_index_that_points_out_of_its_folder_is_refused(copy):
    text = (copy / "index.json").read_text()
    (copy / "index.json").write_text(text.replace('"train-000001.tar"', '"../train-000001.tar"'))
    with pytest.raises(DataError, match="damaged"):
        load_dataset(copy)


def test_a_changed_sample_is_found(copy):
    (copy / "train.sample.jsonl").write_bytes(b"{}\n")
    with pytest.raises(DataError, match="the file was changed"):
        load_dataset(copy)


def test_an_address_gives_what_the_folder_gives_from_a_cache_that_stays_small(shards, remote, tmp_path):
    here = load_dataset(shards)
    largest = max(row.bytes for row in here.index.splits["train"].shards)
    cache = ShardCache(limit_bytes=10 * largest, folder=tmp_path / "cache")
    dataset, _ = open_shards(remote.address, None, "train", cache)
    assert [one.image_id for one in dataset.annotations] == [one.image_id for one in here.annotations]
    assert dataset.fingerprint() == here.fingerprint()
    assert dataset.annotations[7].content() == here.annotations[7].content()
    small = ShardCache(limit_bytes=2 * largest, folder=tmp_path / "small")
    dataset.annotations.files.cache = small
    for annotation in dataset.annotations:
        annotation.content()
        assert bytes_of(tmp_path / "small") <= 2 * largest
    assert len(list((tmp_path / "small").glob("*.tar"))) == 2
    assert not list((tmp_path / "small").glob("*.partial"))


def test_a_cache_that_cannot_hold_what_is_used_at_once_is_refused_with_the_size_that_can(remote, tmp_path):
    cache = ShardCache(limit_bytes=50_000, folder=tmp_path / "cache")
    with pytest.raises(UsageError, match="50 kB, and the shards") as raised:
        open_shards(remote.address, None, "train", cache)
    assert "--shard-cache 1MB" in raised.value.fix


def test_a_remote_shard_that_is_damaged_or_missing_is_named_and_not_cached(remote, tmp_path):
    row = row_of(remote.address)
    cache = ShardCache(folder=tmp_path / "cache")
    dataset, _ = open_shards(remote.address, None, "train", cache)
    remote.write(row.name, remote.read(row.name)[:-512])
    for path in (tmp_path / "cache").glob("*.tar"):  # the type checks of these tests read an annotation now and then
        path.unlink()
    with pytest.raises(ShardError, match="truncated") as raised:
        list(dataset.annotations)
    assert raised.value.where == f"{remote.address}/{row.name}"
    assert not (tmp_path / f"cache/{row.sha256}.tar").exists()
    remote.remove(row.name)
    for read in (lambda: list(dataset.annotations), lambda: open_shards(remote.address, None, "train", cache)):
        with pytest.raises(ShardError, match="the shard is missing"):
            read()


def test_a_network_that_fails_for_a_moment_is_asked_again(remote, tmp_path, monkeypatch):
    dataset, _ = open_shards(remote.address, None, "train", ShardCache(folder=tmp_path / "cache"))
    failures = iter([OSError("reset"), TimeoutError("slow")])
    real = type(remote.files).get_file

    def get_file(*args, **kwargs):
        if (failure := next(failures, None)) is not None:
            raise failure
        return real(*args, **kwargs)

    monkeypatch.setattr(type(remote.files), "get_file", get_file)
    assert dataset.annotations[0].content()


def test_threads_and_a_cache_that_is_emptied_meanwhile_give_the_same_images(remote, shards, tmp_path):
    cache = ShardCache(folder=tmp_path / "cache")
    dataset, _ = open_shards(remote.address, None, "train", cache)
    here = load_dataset(shards)
    found = {}

    def read(first):
        for number in range(first, len(dataset), 3):
            found[number] = dataset.annotations[number].content()
            for path in (tmp_path / "cache").glob("*.tar"):
                path.unlink(missing_ok=True)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(here))] == [one.content() for one in here.annotations]
