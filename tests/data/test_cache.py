from dataclasses import replace

import numpy as np
import pytest

from data.test_loader import assert_equal, batches
from ssd300.data import cache, load_dataset
from ssd300.data.cache import ImageCache
from ssd300.errors import DataError, UsageError
from ssd300.images.read import read_image


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("on_disk", [False, True])
def test_batches_are_the_same_with_a_cache_also_from_the_second_epoch_on(coloured, tmp_path, on_disk, workers):
    annotations = load_dataset(coloured).annotations
    cached = ImageCache(annotations, folder=tmp_path / "run" if on_disk else None)
    epochs = 3 * len(annotations)
    assert_equal(batches(annotations, epochs, workers=workers, cache=cached), batches(annotations, epochs))
    for index, annotation in enumerate(annotations):  # what workers decoded is here too, and no file is read again
        pixels = read_image(annotation.image_path)
        annotation.image_path.unlink()
        assert np.array_equal(cached.read(index, annotation.image_path), pixels)
    assert not list(tmp_path.glob("run/*")), "the file has no name"


def test_an_image_of_another_size_than_its_annotation_is_not_stored(coloured):
    annotations = [replace(annotation, size_hw=(9, 7)) for annotation in load_dataset(coloured).annotations]
    cached, path = ImageCache(annotations), annotations[0].image_path
    for _ in range(2):
        np.testing.assert_array_equal(cached.read(0, path), read_image(path))
    for one in (cached, None):
        with pytest.raises(DataError, match="the annotation is for 7 x 9 pixels"):
            batches(annotations, 4, cache=one)


@pytest.mark.parametrize(("where", "advice"), [("ram", "--cache disk"), ("disk", "Remove --cache.")])
def test_a_cache_that_does_not_fit_is_refused_with_both_sizes(coloured, tmp_path, monkeypatch, where, advice):
    annotations = load_dataset(coloured).annotations
    monkeypatch.setattr(cache, "free_memory_bytes", lambda: 100_000)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 100_000}))
    with pytest.raises(UsageError, match=r"take 0\.00 GB.*0\.00 GB are free") as caught:
        ImageCache(annotations, folder=None if where == "ram" else tmp_path)
    assert advice in caught.value.fix


def test_the_caches_of_all_processes_must_fit(coloured, monkeypatch):
    annotations = load_dataset(coloured).annotations
    needed = ImageCache(annotations).nbytes
    monkeypatch.setattr(cache, "free_memory_bytes", lambda: 2 * needed)
    assert "in each" not in ImageCache(annotations).summary
    with pytest.raises(UsageError, match=r"take 0\.00 GB in each of 2 processes, more than fits in memory"):
        ImageCache(annotations, copies=2)


def test_without_fork_a_cache_is_refused_with_workers(coloured, monkeypatch):
    annotations = load_dataset(coloured).annotations
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(UsageError, match="cannot share"):
        batches(annotations, 1, workers=1, cache=ImageCache(annotations))
