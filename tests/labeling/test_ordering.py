import time
from pathlib import Path

import pytest

from ssd300.detection.detector import Detector
from ssd300.detection.next_images import rate_images
from ssd300.detection.uncertainty import MEASURES
from ssd300.labeling.ordering import RANDOM_EVERY, doubts, least_sure_first
from ssd300.labeling.proposals import Proposer

CELLS = Path(__file__).parents[1] / "data_files" / "bccd" / "JPEGImages"
LEFT = 60.0  # seconds


def test_doubtful_images_come_first_and_labeled_ones_last():
    doubt = {0: 0.1, 1: 1.0, 2: 0.0, 3: 1.9, 5: 1.0}
    assert least_sure_first(doubt, {5, 6}, 8) == [3, 1, 0, 2, 4, 7, 5, 6]
    assert least_sure_first({}, set(), 3) == [0, 1, 2]


def test_one_in_some_is_random_and_each_comes_once():
    doubt = {number: 1 - number / 1000 for number in range(100)}
    order = least_sure_first(doubt, set(), 100)
    assert sorted(order) == list(range(100))
    assert order == least_sure_first(doubt, set(), 100)
    by_doubt = [number for place, number in enumerate(order[:50]) if place % RANDOM_EVERY != RANDOM_EVERY - 1]
    assert by_doubt == sorted(by_doubt)
    assert order != sorted(order)


@pytest.mark.slow
def test_the_doubts_are_those_of_the_command(unsure_run):
    images = sorted(CELLS.glob("*.jpg"))[:3]
    detector = Detector.load(unsure_run)
    proposer = Proposer(str(unsure_run), images)
    try:
        proposer.ask_for_all(range(3))
        proposer.ask_for_mirrors([0, 2])
        for number in range(3):
            assert proposer.ask(number, wait_s=LEFT) is not None
        until = time.monotonic() + LEFT
        while proposer.left and time.monotonic() < until:
            time.sleep(0.01)  # between two looks: the detector works in a thread of its own
        for by in MEASURES:
            rated = {one.image: one.value for one in rate_images(detector, images, by, batch_size=1).rated}
            found = doubts(proposer, by)
            assert set(found) == ({0, 2} if by == "flip" else {0, 1, 2})
            assert found == pytest.approx({number: rated[images[number]] for number in found}, abs=1e-6)
            assert by == "near-threshold" or all(found.values())
    finally:
        proposer.close()
