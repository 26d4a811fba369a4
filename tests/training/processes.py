"""What `torchrun` starts in the tests: a training run, its arguments as JSON, in every process.

With `kills` as [[rank, step], ...], that process kills itself, as `kill -9` would, in that step of its first life, of
its second, and so on.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

from ssd300.data import load_dataset
from ssd300.training.loop import train
from ssd300.training.presets import PRESETS
from ssd300.training.step import TrainStep


def kill_in_step(rank: int, step: int) -> None:
    """From now on, this process ends in the step that follows `step` steps, if it has this rank."""
    if os.environ["RANK"] != str(rank):
        return
    usual = TrainStep.__call__

    def end(self, batch, number):
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(self, batch, number)

    TrainStep.__call__ = end


if __name__ == "__main__":
    torch.set_num_threads(1)
    data, out, options, others = sys.argv[1:]
    config = replace(PRESETS["light"](Path(out)), **json.loads(options))
    held_out = load_dataset(data, purpose="test")
    arguments = json.loads(others)
    for kill in arguments.pop("kills", [])[int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) :][:1]:
        kill_in_step(*kill)
    train(load_dataset(data), config, validation=held_out, **arguments)
