import sys

import pytest

from ssd300.errors import UsageError
from ssd300.training.loop import train
from ssd300.training.tensorboard import TensorBoard


@pytest.mark.slow
def test_tensorboard_gets_events(config, data, held_out, tmp_path):
    pytest.importorskip("tensorboard")
    train(data, config(tmp_path / "run"), validation=held_out, callbacks=[TensorBoard()])
    assert list((tmp_path / "run/tensorboard").glob("events.out.tfevents.*"))


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r'pip install "\.\[tensorboard\]"'):
        TensorBoard()
