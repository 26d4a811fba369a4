import threading

import pytest

from run_weights import run_weights
from ssd300.errors import UsageError
from ssd300.training.distributed import ALONE, World
from ssd300.training.lock import sole_use
from ssd300.training.loop import train
from ssd300.training.step import TrainStep


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused_and_changes_nothing(config, data, tmp_path, monkeypatch):
    go_on, inside = threading.Event(), threading.Event()
    step = TrainStep.__call__

    def wait_inside(self, batch, number):
        inside.set()
        assert go_on.wait(60)
        return step(self, batch, number)

    monkeypatch.setattr(TrainStep, "__call__", wait_inside)
    first = threading.Thread(target=train, args=(data, config(tmp_path / "run", steps=1)))
    first.start()
    assert inside.wait(60)
    before = (tmp_path / "run/config.yaml").read_text()
    for others in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(UsageError, match="another run is writing here"):
            train(data, config(tmp_path / "run", lr=7.0), **others)
    assert (tmp_path / "run/config.yaml").read_text() == before
    go_on.set()
    first.join(60)
    assert run_weights(tmp_path / "run")
    train(data, config(tmp_path / "run", steps=1), overwrite=True)  # free again


def test_a_folder_that_holds_files_is_refused_and_one_that_stays_empty_is_removed(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    with (
        pytest.raises(UsageError, match="not empty"),
        sole_use(tmp_path / "full", ALONE, resume=False, overwrite=False),
    ):
        pass
    with sole_use(tmp_path / "new", ALONE, resume=False, overwrite=False):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()


class Apart(World):
    """A process that the others agree with."""

    def gather(self, value):
        return [value] * self.size


def test_the_main_process_alone_holds_the_lock(tmp_path):
    with (
        sole_use(tmp_path / "run", Apart(rank=0, size=2), resume=False, overwrite=False),
        sole_use(tmp_path / "run", Apart(rank=1, size=2), resume=False, overwrite=False),
    ):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
