"""The order of an epoch over shards: each image once, few shards at a time, and the same from any image on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd300.data.shards.order import MIXED, chunk_sizes, epoch_of_shards


def images(counts, **options):
    options = {"seed": 0, "epoch": 0} | options
    chunks = [chunk.tolist() for _, chunk in epoch_of_shards(np.array(counts, np.int64), **options)]
    return [image for chunk in chunks for image in chunk]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 3), st.integers(0, 3), st.data())
def test_each_image_comes_once_and_the_rest_of_an_epoch_is_the_same_from_any_image_on(counts, seed, epoch, data):
    whole = images(counts, seed=seed, epoch=epoch)
    assert sorted(whole) == list(range(sum(counts)))
    start = data.draw(st.integers(0, sum(counts) - 1))
    assert images(counts, seed=seed, epoch=epoch, start=start) == whole[start:]


def test_an_order_follows_from_seed_and_epoch():
    counts = [9] * 12
    assert images(counts) == images(counts)
    assert len({tuple(images(counts, seed=seed, epoch=epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_a_chunk_needs_few_shards_of_which_one_is_new():
    counts = np.full(40, 16)
    shard_of = np.repeat(np.arange(40), 16)
    known = []
    for shards, chunk in epoch_of_shards(counts, seed=3, epoch=1):
        assert len(chunk) == 16
        assert set(shard_of[chunk]) == set(shards[:MIXED].tolist())
        assert len(shards) <= MIXED + 1
        known.append(set(shard_of[chunk]))
    assert all(len(after - before) == 1 for before, after in pairwise(known))


def test_chunks_have_all_images_also_of_shards_of_different_sizes():
    counts = np.array([1, 100, 3, 17, 40, 2, 9, 9, 9, 30])
    sizes = chunk_sizes(counts)
    assert sizes.sum() == counts.sum()
    assert len(sizes) == len(counts)


def test_only_the_shards_of_the_chunk_are_named_where_a_stream_begins_late():
    counts = np.full(40, 16)
    shards, _ = next(epoch_of_shards(counts, seed=0, epoch=0, start=20 * 16 + 5))
    assert len(set(shards.tolist())) == MIXED + 1


@pytest.mark.parametrize("count", [1, 5])
def test_a_single_shard_is_shuffled(count):
    assert sorted(images([count])) == list(range(count))
