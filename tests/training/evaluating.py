"""What `torchrun` starts in the tests: an evaluation, of a model that differs between the processes as in training.

Arguments: the data, and the file for what the main process found.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from ssd300.data import load_dataset
from ssd300.training.distributed import joined
from ssd300.training.initial_state import initial_state
from ssd300.training.presets import PRESETS
from ssd300.training.validation import Validator

COPIES = 3  # of each image: an uneven number that fills no batch of detection

if __name__ == "__main__":
    torch.set_num_threads(1)
    data, out = sys.argv[1:]
    held_out = load_dataset(data, purpose="train")
    held_out = replace(held_out, annotations=held_out.annotations * COPIES + held_out.annotations[:1])
    with joined() as world:
        device = torch.device("cpu")
        config = PRESETS["light"](Path(out), init="none", amp="off")
        state, card = initial_state(held_out, config, world, device)
        next(buffer for name, buffer in state.model.named_buffers() if name.endswith("running_mean")).add_(world.rank)
        report = Validator(dataset=held_out, card=card, device=device, world=world).evaluate(state.model)
        if world.is_main:
            found = {name: value.tolist() for name, value in vars(report.detections).items()}
            Path(out).write_text(json.dumps([report.to_dict(), found]))
