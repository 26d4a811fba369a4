"""`loader.training_batches`: processes that read images, and what happens when one fails."""

import multiprocessing
import os
import signal
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.data.loader import training_batches
from ssd300.errors import DataError, RunError


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def test_a_killed_worker_is_reported_with_its_image(data, monkeypatch):
    """The process of the worker kills itself at the second image, as the kernel does when memory runs out."""
    victim = data.annotations[1].image_path

    def read_or_die(path):
        if path == victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros((120, 160, 3), np.uint8)

    monkeypatch.setattr("ssd300.data.samples.read_image", read_or_die)
    batches = training_batches(data.annotations, size=300, batch_size=2, seed=0, workers=1)
    with pytest.raises(RunError, match="a process that reads images died") as caught:
        list(islice(batches, 4))
    assert caught.value.where == str(victim)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_in_preparing_an_image_is_reported_with_its_name(data, monkeypatch, workers):
    def fail(*_, **__):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("ssd300.data.augmented_images.sample_augmentation", fail)
    with pytest.raises(DataError, match=r"p\d\.jpg.*ZeroDivisionError: by zero"):
        next(training_batches(data.annotations, size=300, batch_size=2, seed=0, workers=workers))


@pytest.mark.slow
def test_workers_do_not_keep_a_process_from_ending(data):
    """They hold SIGTERM back for a run to end in good order, but not when Python sends it at its end."""
    code = (
        "import sys; from ssd300.data import load_dataset; from ssd300.data.loader import training_batches\n"
        f"batches = training_batches(load_dataset({str(data.root)!r}).annotations, size=300, batch_size=2, seed=0, "
        "workers=2)\nnext(batches)\nkept = sys.modules['kept'] = batches\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr


def test_a_worker_survives_sigterm_as_long_as_its_parent_needs_batches(data):
    """A service manager sends SIGTERM to every process; the present step may take longer than any grace period."""
    batches = training_batches(data.annotations, size=300, batch_size=2, seed=0, workers=1)
    next(batches)
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGTERM)
    assert len(list(islice(batches, 8))) == 8  # more than were prefetched
    batches.close()
