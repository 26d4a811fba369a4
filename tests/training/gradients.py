"""What `torchrun` starts in the tests: the gradient of the first batch, and the state of the layers behind it.

Arguments: the data, the file to write, and the options as JSON; with the option `wide` all is in float64.
"""

import json
import sys
from itertools import chain
from pathlib import Path

import torch

from ssd300.data import load_dataset
from ssd300.data.loader import training_batches
from ssd300.training.distributed import joined
from ssd300.training.initial_state import initial_state
from ssd300.training.presets import PRESETS
from ssd300.training.step import TrainStep

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    data, out = sys.argv[1:3]
    options = json.loads(sys.argv[3])
    wide = options.pop("wide")
    config = PRESETS["light"](Path(out), init="none", workers=0, **options)
    dataset = load_dataset(data)
    with joined() as world:
        state, _ = initial_state(dataset, config, world, torch.device("cpu"))
        model = state.model
        if wide:
            torch.Tensor.float = torch.Tensor.double  # the loss, too
            model.double().register_forward_pre_hook(lambda _, images: images[0].double())
        rows = list(chain(*world.rows(config.batch_size, config.accumulate)))
        size = model.settings.image_size_px
        batches = training_batches(
            dataset.annotations, size=size, batch_size=config.batch_size, seed=0, workers=0, rows=rows
        )
        losses = TrainStep(state, torch.device("cpu"), world).backward(next(batches))
        losses = world.sum(torch.stack(losses))
        if world.is_main:
            gradients = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
            torch.save({"losses": losses, "gradients": gradients, "buffers": dict(model.named_buffers())}, out)
