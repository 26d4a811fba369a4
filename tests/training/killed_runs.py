"""Start a run again and again and kill it at random moments: `killed_runs.py data out kills`. Prints the last step.

Each life is a fork, so that it need not import. Torch must not run before a fork, as threads do not survive one. A life
lasts as long as two starts at most, on the machine as it is: some kills come in a start, the others in training.
"""

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import timm  # noqa: F401  # so that no life imports it
import torch

from ssd300.data import load_dataset
from ssd300.reporting import plots
from ssd300.reporting.plot_style import save_figure
from ssd300.training.loop import train
from ssd300.training.presets import PRESETS

IMAGE_PX = 64  # so that a short life has several steps
torch.set_num_threads(1)


def config(out: Path, save_every: int):
    values = {"steps": 10_000, "batch_size": 1, "init": "none", "amp": "off", "workers": 0, "save_every": save_every}
    return replace(PRESETS["light"](out), image_size=IMAGE_PX, **values)


def live(data: str, out: Path, *, resume: bool, stop_after: int | None = None, save_every: int = 1) -> int:
    """Start a process that trains; returns its number."""
    if (child := os.fork()) == 0:
        try:
            train(load_dataset(data), config(out, save_every), resume=resume, overwrite=True, stop_after=stop_after)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return child


def step_of(out: Path) -> int:
    state = out / "state/last.pt"
    state = state if state.is_file() else out / "state/previous.pt"
    return torch.load(str(state), weights_only=True)["progress"]["step"] if state.is_file() else 0


if __name__ == "__main__":
    data, out, kills = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    dataset = load_dataset(data)
    save_figure(out.with_name("labels.png"), plots.plot_label_statistics(dataset.annotations, dataset.classes))
    began = time.perf_counter()
    os.waitpid(live(data, out, resume=False, stop_after=1), 0)
    start_s = time.perf_counter() - began
    chance, step = random.Random(0), step_of(out)
    for _ in range(kills):
        child = live(data, out, resume=True)
        time.sleep(chance.uniform(0, 2 * start_s))  # the life of a run: a kill at any moment is the test
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit("the run ended without being killed: its state could not be resumed")
        now = step_of(out)
        if now < step:
            sys.exit(f"steps were lost: {step}, then {now}")
        step = now
    for folder, resume in ((out, True), (out.with_name("whole"), False)):
        _, status = os.waitpid(live(data, folder, resume=resume, stop_after=step + 1, save_every=1000), 0)
        if status:
            sys.exit("the run could not be ended")
    sys.stdout.write(f"{step + 1}\n")
