import numpy as np
import pytest

from ssd300.data.mixup import mixup, sample_share
from ssd300.types import Sample


def plain(value, count):
    return Sample(
        image=np.full((4, 4, 3), value, np.uint8), boxes_px=np.full((count, 4), float(value)),
        labels=np.full(count, value, np.int64), difficult=np.zeros(count, bool), image_id=str(value), size_hw=(4, 4),
    )  # fmt: skip


WHOLE = (0, 0, 4, 4)


def test_by_hand():
    mixed, content = mixup(plain(100, 1), plain(200, 2), 0.25, (WHOLE, WHOLE))
    assert (mixed.image == 175).all()
    assert mixed.labels.tolist() == [100, 200, 200]
    assert mixed.boxes_px[:, 0].tolist() == [100, 200, 200]
    assert content == WHOLE


def test_where_one_photograph_is_it_is_seen_in_full_and_where_none_is_the_image_is_black():
    mixed, content = mixup(plain(100, 0), plain(200, 0), 0.5, ((0, 0, 2, 2), (1, 1, 3, 3)))
    assert mixed.image[..., 0].tolist() == [[100, 100, 0, 0], [100, 150, 200, 0], [0, 200, 200, 0], [0, 0, 0, 0]]
    assert content == (0, 0, 3, 3)


@pytest.mark.parametrize("contents", [(WHOLE, (0, 0, 0, 0)), ((0, 0, 0, 0), (0, 0, 0, 0))])
def test_a_crop_that_misses_its_photograph_adds_nothing(contents):
    mixed, content = mixup(plain(100, 0), plain(200, 0), 0.5, contents)
    assert (mixed.image == (100 if contents[0] == WHOLE else 0)).all()
    assert content == contents[0]


def test_shares_are_close_to_one_half():
    shares = [sample_share(np.random.default_rng(seed)) for seed in range(200)]
    assert 0.2 < min(shares) < 0.5 < max(shares) < 0.8
