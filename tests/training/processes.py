"""What `torchrun` starts in the tests: a training run, its arguments as JSON, in every process."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from ssd300.data import load_dataset
from ssd300.training.loop import train
from ssd300.training.presets import PRESETS

if __name__ == "__main__":
    torch.set_num_threads(1)
    data, out, options, others = sys.argv[1:]
    config = replace(PRESETS["light"](Path(out)), **json.loads(options))
    held_out = load_dataset(data, purpose="test")
    train(load_dataset(data), config, validation=held_out, **json.loads(others))
