"""`loader.EndlessBatches`: the order of the images."""

from itertools import islice

from ssd300.data.loader import EndlessBatches

IMAGES = 20


def orders(seed: int, epochs: int) -> list[list[int]]:
    """The images of each epoch, in their order."""
    keys = [key for batch in islice(EndlessBatches(IMAGES, batch_size=4, seed=seed), 5 * epochs) for key in batch]
    return [[key.image for key in keys if key.epoch == epoch] for epoch in range(epochs)]


def test_each_epoch_has_each_image_once():
    for order in orders(seed=0, epochs=3):
        assert sorted(order) == list(range(IMAGES))


def test_no_two_epochs_have_the_same_order_and_none_is_sorted():
    seen = [*orders(seed=0, epochs=5), list(range(IMAGES))]
    assert len({tuple(order) for order in seen}) == len(seen)


def test_the_seed_decides_the_order():
    assert orders(seed=1, epochs=2) == orders(seed=1, epochs=2)
    assert orders(seed=1, epochs=1) != orders(seed=2, epochs=1)


def test_a_stream_that_starts_later_is_the_rest_of_the_whole():
    whole = list(islice(EndlessBatches(IMAGES, batch_size=4, seed=0), 12))
    assert list(islice(EndlessBatches(IMAGES, batch_size=4, seed=0, images_seen=28), 5)) == whole[7:]
