"""Shards as a dataset: recognized, lazy for training, and options that need all images are refused."""

import pickle
from itertools import islice
from pathlib import Path

import pytest
import torch

from packed import pack, write_dataset
from ssd300.data import load_dataset
from ssd300.data.augmented_images import Mixing
from ssd300.data.held_out import load_held_out
from ssd300.data.holdout import hold_out
from ssd300.data.loader import training_batches
from ssd300.data.recognition import open_data
from ssd300.data.shards.dataset import check_use
from ssd300.errors import DataError, UsageError


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    return pack(write_dataset(root / "data"), root / "shards")


def batches(dataset, count, **options):
    options = {"size": 40, "batch_size": 5, "seed": 0, "workers": 0} | options
    stream = training_batches(dataset.annotations, **options)
    found = list(islice(stream, count))
    stream.close()
    return found


def assert_equal(ours, theirs):
    assert [batch.image_ids for batch in ours] == [batch.image_ids for batch in theirs]
    assert all(torch.equal(one.images, other.images) for one, other in zip(ours, theirs, strict=True))
    assert all(torch.equal(one.targets.boxes, other.targets.boxes) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("mixing", [Mixing(), Mixing(mosaic=0.5, mixup=0.5, images=100)])
def test_the_stream_is_the_same_for_any_number_of_workers_and_from_any_batch_on(shards, mixing):
    dataset = load_dataset(shards)
    whole = batches(dataset, 10, mixing=mixing)
    assert_equal(batches(dataset, 10, mixing=mixing, workers=2), whole)
    for seen in (1, 4, 7):
        assert_equal(batches(dataset, 3, mixing=mixing, images_seen=5 * seen), whole[seen : seen + 3])


def test_an_epoch_has_each_image_once_and_pieces_of_processes_are_the_whole(shards):
    dataset = load_dataset(shards)
    whole = batches(dataset, 23, batch_size=4)
    ids = [image for batch in whole for image in batch.image_ids]
    for epoch in range(4):
        assert sorted(ids[23 * epoch : 23 * (epoch + 1)]) == sorted(one.image_id for one in dataset.annotations)
    first, second = (batches(dataset, 6, batch_size=4, rows=rows) for rows in ((0, 1), (2, 3)))
    for batch, one, other in zip(whole[:6], first, second, strict=True):
        assert batch.image_ids == one.image_ids + other.image_ids


def test_a_dataset_of_shards_can_be_handed_to_another_process(shards):
    dataset = pickle.loads(pickle.dumps(load_dataset(shards)))
    assert dataset.annotations[3].content()
    held_out = pickle.loads(pickle.dumps(load_dataset(shards, purpose="test")))
    assert held_out.annotations[0].content()


def test_items_slices_and_the_end(shards):
    annotations = load_dataset(shards).annotations
    assert [one.image_id for one in annotations[::7]] == [annotations[n].image_id for n in range(0, 23, 7)]
    assert annotations[-1].image_id == annotations[22].image_id
    for index in (23, -24):
        with pytest.raises(IndexError):
            annotations[index]


def test_the_index_file_may_be_named_too(shards):
    assert load_dataset(f"{shards}/index.json").fingerprint() == load_dataset(shards).fingerprint()


def test_another_list_of_classes_takes_the_annotations_into_memory(shards):
    dataset = load_dataset(shards)
    other = dataset.with_classes(["washer", *reversed(dataset.classes)])
    assert other.in_memory
    assert other.objects_per_class() == {"washer": 0} | dataset.objects_per_class()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["nut"]}, "--only cannot be used on shards"),
        ({"classes": ["nut", "bolt"]}, "--classes cannot"),
        ({"drop_difficult": True}, "--drop-difficult cannot"),
        ({"format": "voc"}, "--format cannot"),
        ({"on_bad_label": "drop-box"}, "--on-bad-label cannot"),
    ],
)
def test_options_that_choose_among_labels_are_refused(shards, options, message):
    with pytest.raises(UsageError, match=message) as raised:
        load_dataset(shards, **options)
    assert "ssd300 shard" in raised.value.fix


def test_an_evaluation_may_have_more_classes_than_the_shards(shards):
    assert load_dataset(shards, purpose="test", classes=["washer", "nut", "bolt"]).classes == ("washer", "nut", "bolt")
    with pytest.raises(DataError, match="there are objects of bolt"):
        load_dataset(shards, purpose="test", classes=["nut"])


def test_options_that_need_all_images_are_refused(shards):
    dataset = load_dataset(shards)
    check_use(dataset, sampling="uniform", cache="none")
    for options in ({"sampling": "balanced", "cache": "none"}, {"sampling": "uniform", "cache": "ram"}):
        with pytest.raises(UsageError, match="cannot be used on shards"):
            check_use(dataset, **options)
    with pytest.raises(UsageError, match="no images can be held out of shards") as raised:
        hold_out(dataset, 0.2)
    assert "ssd300 split" in raised.value.fix


def test_shards_are_not_joined_and_not_read_where_files_are_needed(shards, coloured):
    with pytest.raises(UsageError, match="shards are not joined"):
        load_dataset(coloured, shards)
    with pytest.raises(DataError, match="these are shards"):
        open_data([Path(shards)], "auto")


def test_an_address_without_shards_is_told(tmp_path):
    with pytest.raises(DataError, match="there are no shards") as raised:
        load_dataset(f"memory://{tmp_path.name}/nothing")
    assert raised.value.where == f"memory://{tmp_path.name}/nothing"


def test_an_unknown_split_is_told_with_those_that_are_there(shards):
    with pytest.raises(DataError, match="there is no split 'mini'") as raised:
        load_dataset(shards, split="mini")
    assert "train, test" in raised.value.fix


def test_the_held_out_split_is_found_and_is_not_that_of_training(shards, tmp_path):
    dataset = load_dataset(shards)
    held_out, _ = load_held_out([Path(shards)], dataset)
    assert (held_out.split, len(held_out)) == ("test", 3)
    with pytest.raises(UsageError, match="'train' is what is trained on"):
        load_held_out([Path(shards)], dataset, split="train")
    alone = pack(write_dataset(tmp_path / "data", test=0), tmp_path / "alone")
    nothing, notes = load_held_out([Path(alone)], load_dataset(alone))
    assert nothing is None
    assert "no held-out images" in notes[0]
