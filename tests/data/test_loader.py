from itertools import islice

import numpy as np
import pytest
import torch

from ssd300.data import load_dataset
from ssd300.data.augmented_images import Item
from ssd300.data.loader import EndlessBatches, collate, training_batches
from ssd300.errors import DataError
from ssd300.types import Sample


def batches(annotations, count, **options):
    options = {"size": 300, "batch_size": 3, "seed": 0, "workers": 0} | options
    return list(islice(training_batches(annotations, **options), count))


def assert_equal(ours, theirs):
    assert [batch.image_ids for batch in ours] == [batch.image_ids for batch in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.targets.boxes, other.targets.boxes)
        assert torch.equal(one.targets.labels, other.targets.labels)
        for name, value in vars(one.photometric).items():
            assert torch.equal(value, getattr(other.photometric, name))


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_the_number_of_workers(coloured, workers):
    annotations = load_dataset(coloured).annotations
    assert_equal(batches(annotations, 4, workers=workers), batches(annotations, 4))


def test_the_stream_goes_on_after_any_number_of_images_also_within_an_epoch(coloured):
    annotations = load_dataset(coloured).annotations
    whole = batches(annotations, 6)
    for seen in (1, 3, 4):
        assert_equal(batches(annotations, 2, images_seen=seen * 3), whole[seen : seen + 2])


def test_seeds_and_epochs_differ(coloured):
    annotations = load_dataset(coloured).annotations[:1]
    (first, second), (other, _) = batches(annotations, 2, batch_size=1), batches(annotations, 2, batch_size=1, seed=1)
    assert not torch.equal(first.images, second.images)
    assert not torch.equal(first.images, other.images)


def test_every_epoch_shows_every_image_once():
    keys = [key for batch in islice(EndlessBatches(7, batch_size=2, seed=0), 14) for key in batch]
    for epoch in range(4):
        assert sorted(index for number, index in keys if number == epoch) == list(range(7))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_named_also_from_a_worker(coloured, workers):
    annotations = load_dataset(coloured).annotations
    broken = annotations[0].image_path
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read") as caught:
        batches(annotations, 3, workers=workers)
    assert caught.value.where == str(broken)
    assert "Replace the file" in caught.value.fix


def test_collate_makes_boxes_relative_pads_and_counts_background_as_0():
    def sample(boxes, labels):
        return Sample(
            image=np.zeros((10, 20, 3), np.uint8), boxes_px=np.array(boxes, float).reshape(-1, 4),
            labels=np.array(labels, np.int64), difficult=np.zeros(len(labels), bool), image_id="a", size_hw=(100, 200),
        )  # fmt: skip

    content = (0, 0, 20, 10)
    batch = collate([Item(sample([(5, 2, 15, 8)], [0]), None, content), Item(sample([], []), None, content)])
    assert batch.targets.boxes.tolist() == [[pytest.approx([0.25, 0.2, 0.75, 0.8])], [[0, 0, 0, 0]]]
    assert batch.targets.labels.tolist() == [[1], [0]]
    assert batch.images.shape == (2, 3, 10, 20)
    assert batch.photometric is None


@pytest.mark.parametrize("workers", [0, 2])
def test_a_image_that_cannot_be_read_is_told_or_the_next_one_stands_in_its_place(coloured, workers):
    annotations = load_dataset(coloured).annotations
    spoilt, after = annotations[1], annotations[2]
    spoilt.image_path.write_bytes(b"no image")
    with pytest.raises(DataError, match=spoilt.image_path.name):
        batches(annotations, 2, workers=workers)
    found = batches(annotations, 8, workers=workers, on_bad_image="skip")
    ids = [image_id for batch in found for image_id in batch.image_ids]
    assert len(ids) == 24
    assert spoilt.image_id not in ids
    assert ids.count(after.image_id) == 12  # of four images in six epochs, twice in each
    skipped = [image for batch in found for image in batch.skipped]
    assert len(skipped) == 6
    assert all(spoilt.image_path.name in image for image in skipped)
    for annotation in annotations:
        annotation.image_path.write_bytes(b"")
    with pytest.raises(DataError, match="none of the 4 images"):
        batches(annotations, 1, workers=workers, on_bad_image="skip")
