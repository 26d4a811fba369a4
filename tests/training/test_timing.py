import time
from dataclasses import replace

import pytest
import torch

from ssd300.model.predictions import Losses
from ssd300.training import timing
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.timing import time_steps

CPU = torch.device("cpu")


class SlowStep:
    """A step that takes a time for each image."""

    seconds_per_image = 0.0

    def __init__(self, state, device):
        self.made_for = state.config.batch_size

    def __call__(self, batch, step):
        assert len(batch) == self.made_for
        time.sleep(self.seconds_per_image * len(batch))
        return Losses(torch.zeros(()), torch.zeros(()))


@pytest.mark.parametrize(
    ("an_image_s", "images"), [(0.05, 2), (0.001, 32)], ids=["a whole batch would take too long", "it fits"]
)
def test_steps_of_fewer_images_are_timed_where_a_batch_takes_long(config, data, monkeypatch, an_image_s, images):
    monkeypatch.setattr(timing, "TrainStep", SlowStep)
    monkeypatch.setattr(SlowStep, "seconds_per_image", an_image_s)
    state, _ = initial_state(data, config("run", batch_size=32, accumulate=4), ALONE, CPU)
    started = time.perf_counter()
    timed = time_steps(state, data, CPU, seconds=0.4)
    assert time.perf_counter() - started < 2.0
    assert timed.images == len(timed.last) == images
    assert timed.work_s == pytest.approx(32 * an_image_s, rel=0.2)
    assert state.config.batch_size == 32
    assert timed.memory_bytes > 0


def test_an_evaluation_is_timed_on_as_many_images_as_the_time_allows(config, data, held_out):
    state, card = initial_state(data, config("run"), ALONE, CPU)
    many = replace(held_out, annotations=held_out.annotations * 1000)
    seen = []

    class Counting(timing.Validator):
        def evaluate(self, model, *_):
            seen.append(len(self.dataset))
            time.sleep(0.02 * len(self.dataset))

    validator = Counting(dataset=many, card=card, device=CPU)
    assert timing.time_evaluation(state, validator, seconds=0.0) == pytest.approx(20.0, rel=0.5)
    assert seen == [1]
    assert timing.time_evaluation(state, validator, seconds=5.0) == pytest.approx(20.0, rel=0.5)
    assert seen[1:] == [1, timing.SAMPLED]


def test_the_memory_of_a_batch_is_estimated_by_what_its_backward_pass_needs():
    weight = torch.ones(100, requires_grad=True)
    with timing._counted() as saved:
        images = torch.ones(5, 100)
        ((images * weight).relu() * 2).sum()
    assert sum(saved.values()) == 2 * images.nbytes  # what is multiplied, and the result of ReLU; not the weights
