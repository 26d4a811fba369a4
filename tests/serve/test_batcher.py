"""Images that wait at the same time are one batch; each gets its own answer."""

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from ssd300.detection.network import Prepared
from ssd300.serve.batcher import Batcher, FullError
from ssd300.types import Detections, Selection

ALL, SURE = Selection(min_score=0.1), Selection(min_score=0.9)


class Counting:
    """A network whose detections are one box with the image's number as score; it waits until it may run."""

    card = None

    def __init__(self) -> None:
        self.batches: list[tuple[list[float], Selection]] = []
        self.may_run = threading.Event()
        self.started = threading.Event()

    def prepare(self, image):
        return image

    def predict(self, inputs, selection):
        self.started.set()
        assert self.may_run.wait(10)
        if 0.13 in inputs:
            raise RuntimeError("thirteen")
        self.batches.append((list(inputs), selection))
        return inputs

    def select(self, predictions, selection):
        one = np.zeros((1, 4)), np.zeros(1, np.int64)
        return [
            Detections(boxes=one[0], scores=np.array([value]), labels=one[1], classes=("a",)) for value in predictions
        ]


@pytest.fixture
def network():
    return Counting()


@pytest.fixture
def batcher(network):
    made = Batcher(network, batch_size=3, queue=4)
    yield made
    network.may_run.set()
    made.close()


def image(number: float) -> Prepared:
    return Prepared(number, (1, 1))


def score_of(answer) -> float:
    return float(answer.result(10).detections.scores[0])


def test_images_that_wait_at_the_same_time_are_one_batch(network, batcher):
    first = batcher.submit(image(0.5), ALL)
    assert network.started.wait(10)  # from here on the network is busy
    others = [batcher.submit(image(value), ALL) for value in (0.1, 0.2, 0.3, 0.4)]
    network.may_run.set()
    assert [score_of(answer) for answer in (first, *others)] == [0.5, 0.1, 0.2, 0.3, 0.4]
    assert [inputs for inputs, _ in network.batches] == [[0.5], [0.1, 0.2, 0.3], [0.4]]
    assert others[0].result().batch_size == 3
    assert others[0].result().waited_s > 0


def test_another_selection_is_another_batch_and_no_image_is_skipped(network, batcher):
    batcher.submit(image(0.5), ALL)
    assert network.started.wait(10)
    answers = [
        batcher.submit(image(value), wanted) for value, wanted in ((0.1, SURE), (0.2, ALL), (0.3, SURE), (0.4, ALL))
    ]
    network.may_run.set()
    assert [score_of(answer) for answer in answers] == [0.1, 0.2, 0.3, 0.4]
    assert network.batches[1:] == [([0.1, 0.3], SURE), ([0.2, 0.4], ALL)]


def test_no_more_places_are_held_than_the_queue_has(network, batcher):
    with batcher.places(3):
        with pytest.raises(FullError) as full, batcher.places(2):
            pass
        assert full.value.retry_after_s >= 1
        with batcher.places(1), pytest.raises(FullError), batcher.places(1):
            pass
    with batcher.places(4):  # all are free again
        pass


def test_a_bad_image_does_not_fail_the_others_of_its_batch(network, batcher):
    first = batcher.submit(image(0.5), ALL)
    assert network.started.wait(10)
    good, bad, other = (batcher.submit(image(value), ALL) for value in (0.1, 0.13, 0.2))
    network.may_run.set()
    assert [score_of(answer) for answer in (first, good, other)] == [0.5, 0.1, 0.2]
    with pytest.raises(RuntimeError, match="thirteen"):
        bad.result(10)


def test_an_image_whose_answer_is_canceled_is_not_run(network, batcher):
    first = batcher.submit(image(0.5), ALL)
    assert network.started.wait(10)
    given_up, other = batcher.submit(image(0.1), ALL), batcher.submit(image(0.2), ALL)
    assert given_up.cancel()
    network.may_run.set()
    assert [score_of(answer) for answer in (first, other)] == [0.5, 0.2]
    assert network.batches[1][0] == [0.2]
    with pytest.raises(CancelledError):
        given_up.result()


def test_closing_answers_what_waits_and_accepts_nothing_more(network):
    batcher = Batcher(network, batch_size=2, queue=9)
    answers = [batcher.submit(image(value), ALL) for value in (0.1, 0.2, 0.3)]
    network.may_run.set()
    batcher.close()
    assert [score_of(answer) for answer in answers] == [0.1, 0.2, 0.3]
    with pytest.raises(FullError):
        batcher.submit(image(0.4), ALL)
    with pytest.raises(FullError), batcher.places(1):
        pass
