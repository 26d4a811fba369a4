from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.data.loader import EndlessBatches
from ssd300.data.sampling import Key, epoch_order, keys_of_epoch, repeat_factors
from ssd300.types import Annotation


def annotation(*labels):
    count = len(labels)
    return Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=None, boxes_px=np.zeros((count, 4)),
        labels=np.array(labels, np.int64), difficult=np.zeros(count, bool),
    )  # fmt: skip


def test_factors_by_hand():
    """Class 0 is in four images, class 1 in one, class 2 in two; how many objects an image has of it is no matter."""
    images = [annotation(0, 0, 0), annotation(0), annotation(0, 1), annotation(2, 0), annotation(2), annotation()]
    assert repeat_factors(images).tolist() == pytest.approx([1, 1, 2, 2**0.5, 2**0.5, 1])
    assert repeat_factors([annotation()]).tolist() == [1]


def test_equal_factors_give_each_image_once():
    assert sorted(epoch_order(7, seed=0, epoch=0, factors=np.full(7, 1.5))) == list(range(7))


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_an_epoch_has_its_length_and_each_image_its_share_rounded(seed, count):
    factors = np.random.default_rng(seed).uniform(1, 5, count)
    order = epoch_order(count, seed=seed, epoch=3, factors=factors)
    assert len(order) == count
    shares, used = factors * count / factors.sum(), Counter(order.tolist())
    for image, share in enumerate(shares):
        assert np.floor(share - 1e-9) <= used[image] <= np.ceil(share + 1e-9)


def test_over_many_epochs_each_image_has_its_share():
    factors = np.array([1.0, 2.0, 5.0])
    used = Counter(image for epoch in range(800) for image in epoch_order(3, seed=0, epoch=epoch, factors=factors))
    assert [used[image] / 2400 for image in range(3)] == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.02)


def test_copies_of_an_image_are_numbered_in_each_epoch():
    assert keys_of_epoch(np.array([4, 1, 4, 4]), 2) == [Key(2, 4, 0), Key(2, 1, 0), Key(2, 4, 1), Key(2, 4, 2)]


@pytest.mark.parametrize("seen", [4, 8, 12, 28])
def test_a_balanced_stream_that_starts_later_is_the_rest_of_the_whole(seen):
    factors = np.random.default_rng(0).uniform(1, 4, 10)
    whole = list(islice(EndlessBatches(10, batch_size=4, seed=0, factors=factors), 12))
    rest = list(islice(EndlessBatches(10, batch_size=4, seed=0, factors=factors, images_seen=seen), 5))
    assert rest == whole[seen // 4 : seen // 4 + 5]
    assert max(key.copy for batch in whole for key in batch) > 0
