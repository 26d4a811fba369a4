from itertools import islice

import numpy as np
import pytest
import torch

from ssd300.data import load_dataset
from ssd300.data.augmented_images import AugmentedImages, Item, Mixing
from ssd300.data.loader import EndlessBatches, collate, training_batches
from ssd300.data.sampling import Key
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


def test_the_stream_resumes_after_any_number_of_images_also_within_an_epoch(coloured):
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
        assert sorted(key.image for key in keys if key.epoch == epoch) == list(range(7))


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


def test_copies_of_an_image_in_one_epoch_are_augmented_differently(coloured):
    images = AugmentedImages(load_dataset(coloured).annotations, size=300, seed=0, augment=True)
    first, again, copy = (images[key].sample.image for key in (Key(0, 1), Key(0, 1), Key(0, 1, 1)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, copy)


MIXING = Mixing(mosaic=0.5, mixup=0.5, images=9)


def test_mixed_images_are_the_same_for_any_number_of_workers_and_end_with_their_share_of_the_run(coloured):
    annotations = load_dataset(coloured).annotations
    mixed, plain = batches(annotations, 6, mixing=MIXING), batches(annotations, 6)
    for one, same in zip(mixed, batches(annotations, 6, mixing=MIXING, workers=2), strict=True):
        assert torch.equal(one.images, same.images)
        assert torch.equal(one.targets.boxes, same.targets.boxes)
    assert any("+" in name for batch in mixed[:3] for name in batch.image_ids)
    assert not torch.equal(mixed[0].images, plain[0].images)
    for one, same in zip(mixed[3:], plain[3:], strict=True):
        assert torch.equal(one.images, same.images)
        assert one.image_ids == same.image_ids


def test_a_mosaic_is_not_zoomed_out(coloured):
    annotations = load_dataset(coloured).annotations
    shown = [batch.photometric.content_px for batch in batches(annotations, 4, mixing=Mixing(1.0, 0.0, 12))]
    assert all(content == [0, 0, 300, 300] for contents in shown for content in contents.tolist())


def test_a_mixed_stream_that_starts_later_is_the_rest_of_the_whole(coloured):
    annotations = load_dataset(coloured).annotations
    whole, rest = batches(annotations, 5, mixing=MIXING), batches(annotations, 3, mixing=MIXING, images_seen=6)
    for one, same in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.images, same.images)


def test_keys_resume_anywhere():
    def keys(images_seen, batches):
        stream = iter(EndlessBatches(7, batch_size=3, seed=5, images_seen=images_seen))
        return [key for _ in range(batches) for key in next(stream)]

    whole = keys(0, 6)
    assert keys(9, 3) == whole[9:]
    assert sorted(key.image for key in whole if key.epoch == 0) == list(range(7))


def test_every_epoch_has_an_order_of_its_own_and_so_has_every_seed():
    def order(seed, epoch):
        keys = (key for batch in islice(EndlessBatches(20, batch_size=20, seed=seed), 3) for key in batch)
        return [key.image for key in keys if key.epoch == epoch]

    orders = [order(seed, epoch) for seed in (0, 1) for epoch in range(3)]
    assert len({tuple(one) for one in orders}) == 6


def test_rows_are_a_part_of_each_batch():
    whole = list(islice(EndlessBatches(7, batch_size=4, seed=0), 5))
    part = list(islice(EndlessBatches(7, batch_size=4, seed=0, rows=(2, 3)), 5))
    assert part == [batch[2:4] for batch in whole]
