"""One step, from a batch to an update: colors, matching, network, loss, gradient, update. No files, no log."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import accumulate, pairwise

import torch
from torch.nn.parallel import DistributedDataParallel

from ssd300.batches import Batch, Targets
from ssd300.data.photometric import apply_photometric
from ssd300.errors import RunError
from ssd300.images.to_tensor import to_float
from ssd300.model.atss import match_atss
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match, match_as_pytorch_ssd300
from ssd300.model.predictions import Losses
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE, World
from ssd300.training.memory_limit import explained
from ssd300.training.optimizer import set_learning_rate
from ssd300.training.state import TrainState

LEAST_SCALE = 1.0  # of float16's gradients: at this scale a gradient that is not finite is no overflow of the scaling


class TrainStep:
    """Loss, gradient and update by the rules of the configuration. It counts no steps: the caller passes the number.

    Each of several processes gets its piece of the batch; the update is that of the whole batch.
    """

    def __init__(self, state: TrainState, device: torch.device, world: World = ALONE) -> None:
        config, model = state.config, state.model
        self.state, self.config, self.device, self.world = state, config, device, world
        self.network = world.parallel(model, device)
        self.match = _matching(config, model.settings)
        self.loss = MultiBoxLoss(
            model.default_boxes,
            model.settings.variances,
            localization=config.box_loss if config.rules == "paper" else "l1_mean",
            box_weight=config.box_weight,
            weighting=config.weighting,
        )

    def __call__(self, batch: Batch, step: int) -> Losses:
        """Make the update that follows `step` updates; the losses are those of the whole batch.

        Raises:
            RunError: the loss or a gradient is not finite, and the weights are as before; or memory ran out.
        """
        attempt = None if self.world.size > 1 else partial(self._try_memory, batch)
        with explained(self.most_at_once(len(batch)), attempt, batch=len(batch)):
            return self._update(batch, step)

    def _try_memory(self, batch: Batch, count: int) -> None:
        self.backward(batch.part(slice(count)), together=True)

    def _update(self, batch: Batch, step: int) -> Losses:
        optimizer, scaler, model = self.state.optimizer, self.state.scaler, self.state.model
        optimizer.zero_grad(set_to_none=True)
        losses = self.world.sum(torch.stack(self.backward(batch)))
        scaler.unscale_(optimizer)
        longest = self.config.grad_clip if self.config.grad_clip is not None else torch.inf
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), longest)
        overflow = scaler.is_enabled() and scaler.get_scale() > LEAST_SCALE  # then the scaler skips the update
        if not torch.isfinite(losses).all() or not (torch.isfinite(norm) or overflow):
            raise RunError(
                f"the loss is {losses.sum().item()} and the gradient's norm {norm.item()}; the weights are as before",
                where=f"step {step + 1}, images {_describe(batch)}",
                fix="Check these images and their boxes; lower --lr, or set --grad-clip.",
            )
        set_learning_rate(optimizer, self.config.learning_rate(step))
        scaler.step(optimizer)
        scaler.update()
        if self.state.average is not None:
            self.state.average.update_parameters(model)
        return Losses(losses[0], losses[1])

    def backward(self, batch: Batch, *, together: bool = False) -> Losses:
        """Add the gradient of these images to that of the weights; `together` is without `--accumulate`. Returns their
        share of the whole batch's losses.
        """
        model, precision = self.state.model, self.state.progress.precision
        images, targets = batch.images.to(self.device), batch.targets.to(self.device)
        if batch.photometric is None:
            pixels = to_float(images)
        else:
            pixels = apply_photometric(images, batch.photometric.to(self.device), model.mean)
        matched = self.match(targets, model.default_boxes)
        # Matched boxes of the whole batch, over all parts and processes.
        normalizer = self.world.sum((matched >= 0).sum()).clamp(min=1).float()
        localization = classification = torch.zeros((), device=self.device)
        parts = [slice(len(batch))] if together else self._parts(len(batch))
        for rows in parts:
            # Processes exchange gradients once per batch: at its last part.
            waits = isinstance(self.network, DistributedDataParallel) and rows is not parts[-1]
            with self.network.no_sync() if waits else nullcontext():  # type: ignore[operator]  # DDP's own
                with torch.autocast(self.device.type, precision, enabled=precision != torch.float32):
                    predictions = self.network(pixels[rows])
                part = self.loss(predictions, targets.part(rows), matched[rows], normalizer=normalizer)
                # DistributedDataParallel averages gradients over processes, and the loss needs their sum.
                self.state.scaler.scale(part.total * self.world.size).backward()  # type: ignore[no-untyped-call]  # torch's own
            localization = localization + part.localization.detach()
            classification = classification + part.classification.detach()
        return Losses(localization, classification)

    def most_at_once(self, count: int) -> int:
        """How many of `count` images the network processes together."""
        return max(int(part.stop - part.start) for part in self._parts(count))

    def _parts(self, count: int) -> list[slice]:
        """The parts of this process's `count` images. It alone may have fewer than those of a batch."""
        whole = count if self.world.size == 1 else self.config.batch_size
        rows = self.world.rows(whole, min(self.config.accumulate, whole))
        ends = [0, *accumulate(len(part) for part in rows)]
        return [slice(start, end) for start, end in pairwise(ends)]


def _matching(config: TrainConfig, settings: DefaultBoxSettings) -> Callable[[Targets, torch.Tensor], torch.Tensor]:
    if config.rules != "paper":
        return match_as_pytorch_ssd300
    if config.matching == "paper":
        return match
    cells = (size * size for size in settings.map_sizes)
    return partial(match_atss, maps=tuple(zip(cells, settings.per_cell, strict=True)))


def _describe(batch: Batch) -> str:
    """The images of a batch, and how many boxes each has."""
    counts = (batch.targets.labels > 0).sum(dim=1).tolist()
    return ", ".join(f"{image} ({count} boxes)" for image, count in zip(batch.image_ids, counts, strict=True))
