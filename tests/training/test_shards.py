"""Runs on shards: a resumed run gives the weights of one that was not stopped, bit for bit."""

import json
from pathlib import Path

import pytest
import torch

from packed import pack, write_dataset
from ssd300.data import load_dataset
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.index import ShardError
from ssd300.errors import UsageError
from ssd300.system.stores import open_store
from ssd300.training.callbacks import Callback
from ssd300.training.loop import train
from training.test_distributed import run, weights

MIXED = {"mosaic": 0.3, "mixup": 0.3}


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("shards")
    return Path(pack(write_dataset(root / "data"), root / "shards"))


def equal(one: Path, other: Path) -> bool:
    ours, theirs = weights(one), weights(other)
    return all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


@pytest.mark.parametrize(
    ("workers", "steps", "stop"), [(0, 2, 1), *(pytest.param(n, 40, 25, marks=pytest.mark.slow) for n in (0, 2))]
)
def test_a_resumed_run_equals_one_that_was_not_stopped(config, shards, tmp_path, workers, steps, stop):
    data = load_dataset(shards)
    options = MIXED | {"steps": steps, "batch_size": 5, "workers": workers}
    train(data, config(tmp_path / "whole", **options))
    train(data, config(tmp_path / "parts", **options), stop_after=stop)
    summary = train(load_dataset(shards), config(tmp_path / "parts", **options), resume=True)
    assert summary["images_seen"] == 5 * steps
    assert equal(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_two_processes_resume_bit_for_bit_and_see_the_images_of_one(shards, tmp_path):
    options = {"steps": 12, "batch_size": 4, "image_size": 64, "workers": 2}
    assert run(2, shards, tmp_path / "whole", options).returncode == 0
    assert run(2, shards, tmp_path / "parts", options, stop_after=7).returncode == 0
    assert run(2, shards, tmp_path / "parts", options, resume=True).returncode == 0
    assert equal(tmp_path / "whole", tmp_path / "parts")
    summary = json.loads((tmp_path / "parts/summary.json").read_text())
    assert (summary["steps"], summary["images_seen"], summary["images"]) == (12, 48, 3)


@pytest.mark.slow
def test_an_address_gives_the_weights_of_the_folder(config, shards, tmp_path):
    store = open_store(f"memory://{tmp_path.name}/shards")
    for path in shards.iterdir():
        store.put(path.name, path)
    cache = ShardCache(folder=tmp_path / "cache")
    far = load_dataset(store.place("index.json"), shard_cache=cache)
    held_out = load_dataset(store.place("index.json"), purpose="test", shard_cache=cache)
    train(far, config(tmp_path / "far", **MIXED), validation=held_out)
    train(load_dataset(shards), config(tmp_path / "near", **MIXED))
    assert equal(tmp_path / "far", tmp_path / "near")
    assert json.loads((tmp_path / "far/summary.json").read_text())["images"] == 3


def test_a_run_on_other_shards_is_not_resumed(config, shards, tmp_path):
    train(load_dataset(shards), config(tmp_path / "run", **MIXED), stop_after=1)
    other = pack(write_dataset(tmp_path / "data", train=20), tmp_path / "other")
    with pytest.raises(UsageError, match="the data is not what the run began with"):
        train(load_dataset(other), config(tmp_path / "run", **MIXED), resume=True)


@pytest.mark.parametrize("on_bad_image", ["error", "skip"])
def test_a_shard_that_is_damaged_ends_the_run_with_its_name(config, shards, tmp_path, on_bad_image):
    for path in shards.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = load_dataset(tmp_path)

    class Damages(Callback):
        def on_step(self, row):
            for shard in data.index.splits["train"].shards:
                (tmp_path / shard.name).write_bytes(b"?" * shard.bytes)

    options = MIXED | {"steps": 8, "workers": 1, "on_bad_image": on_bad_image}
    with pytest.raises(ShardError, match="the shard is changed") as raised:
        train(data, config(tmp_path / "run", **options), callbacks=[Damages()])
    assert Path(raised.value.where).suffix == ".tar"


@pytest.mark.parametrize("options", [{"sampling": "balanced"}, {"cache": "ram"}])
def test_options_that_need_all_images_are_refused(config, shards, tmp_path, options):
    with pytest.raises(UsageError, match="cannot be used on shards"):
        train(load_dataset(shards), config(tmp_path / "run", **options))
    assert not (tmp_path / "run").exists()
