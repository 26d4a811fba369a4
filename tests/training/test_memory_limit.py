import pytest
import torch

from ssd300.errors import RunError
from ssd300.training import memory_limit
from ssd300.training.loop import train
from ssd300.training.memory_limit import explained
from ssd300.training.step import TrainStep


def limited(monkeypatch, most: int) -> None:
    """A network for which memory runs out with more than `most` images."""
    backward = TrainStep.backward

    def within_memory(self, batch, *, together=False):
        if (len(batch) if together else self.most_at_once(len(batch))) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmany more words")
        return backward(self, batch, together=together)

    monkeypatch.setattr(TrainStep, "backward", within_memory)


@pytest.mark.parametrize(
    ("most", "advice"),
    [(2, "2 images fit: --accumulate 4 keeps the batch as it is, --batch-size 2"), (0, "Not even one image fits")],
)
@pytest.mark.slow
def test_out_of_memory_names_a_number_that_fits(config, data, tmp_path, monkeypatch, most, advice):
    limited(monkeypatch, most)
    with pytest.raises(RunError, match=r"with 8 images at once \(CUDA out of memory") as caught:
        train(data, config(tmp_path / "run", batch_size=8))
    assert advice in caught.value.fix
    assert "many more words" not in str(caught.value)
    if most:
        train(data, config(tmp_path / "again", batch_size=8, accumulate=4, steps=1))


@pytest.mark.slow
def test_what_accumulate_has_divided_already_is_counted(config, data, tmp_path, monkeypatch):
    limited(monkeypatch, 2)
    with pytest.raises(RunError, match="with 4 images at once") as caught:
        train(data, config(tmp_path / "run", batch_size=8, accumulate=2))
    assert caught.value.fix.startswith("2 images fit: --accumulate 4 keeps the batch")


def test_halves_are_tried_and_the_first_that_fits_is_named():
    tried = []

    def attempt(count):
        tried.append(count)
        if count > 3:
            raise MemoryError

    with pytest.raises(RunError, match="with 20 images") as caught, explained(20, attempt, batch=20):
        raise MemoryError("none left")
    assert tried == [10, 5, 2]  # 3 would fit too
    assert caught.value.fix.startswith("2 images fit: --accumulate 10 ")


def test_one_of_several_processes_tries_nothing():
    with pytest.raises(RunError) as caught, explained(8, None, batch=16):
        raise MemoryError("none left")
    assert "--accumulate 4 or more" in caught.value.fix


def test_other_errors_are_no_lack_of_memory():
    assert not memory_limit.is_out_of_memory(RuntimeError("shapes differ"))
    assert memory_limit.is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    with pytest.raises(RuntimeError, match="shapes differ"), explained(2, lambda count: None, batch=2):
        raise RuntimeError("shapes differ")
