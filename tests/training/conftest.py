"""A run of a few small steps, and its data."""

import pytest

from ssd300.data import load_dataset
from ssd300.training.presets import PRESETS

SMALL_PX = 64  # a twentieth of the work of 300, and all the maps; image_size=None in a test is 300


@pytest.fixture
def config():
    """A function that returns the configuration of a few small steps in a folder."""

    def configure(out, **kwargs):
        values = {"steps": 4, "batch_size": 2, "workers": 0, "amp": "off", "log_every": 1, "init": "none"}
        return PRESETS["light"](out, **(values | {"image_size": SMALL_PX} | kwargs))

    return configure


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


@pytest.fixture
def held_out(coloured):
    return load_dataset(coloured, purpose="test")
