from ssd300.labeling.ordering import RANDOM_EVERY, least_sure_first
from ssd300.labeling.proposals import Proposal, Proposed


def found(*scores):
    return Proposed(proposals=tuple(Proposal(name="a", box_px=(0.0, 0.0, 1.0, 1.0), score=score) for score in scores))


def test_doubtful_images_come_first_and_labeled_ones_last():
    known = {0: found(0.99), 1: found(0.5), 2: found(), 3: found(0.5, 0.6), 5: found(0.5)}
    assert least_sure_first(known, {5, 6}, 8) == [3, 1, 0, 2, 4, 7, 5, 6]
    assert least_sure_first({}, set(), 3) == [0, 1, 2]


def test_one_in_some_is_random_and_each_comes_once():
    known = {number: found(0.5 + number / 1000) for number in range(100)}
    order = least_sure_first(known, set(), 100)
    assert sorted(order) == list(range(100))
    assert order == least_sure_first(known, set(), 100)
    by_doubt = [number for place, number in enumerate(order[:50]) if place % RANDOM_EVERY != RANDOM_EVERY - 1]
    assert by_doubt == sorted(by_doubt)
    assert order != sorted(order)
