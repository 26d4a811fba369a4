"""One update of the weights from a batch: colours, matching, network, loss, gradient, update. No files, no log."""

from collections.abc import Callable

import torch

from ssd300.data.photometric import apply_photometric
from ssd300.errors import RunError
from ssd300.model import SSD
from ssd300.model.loss import MultiBoxLoss
from ssd300.model.matcher import match, match_as_seed
from ssd300.resize import to_float
from ssd300.tensors import Batch, Losses
from ssd300.training.config import TrainConfig
from ssd300.training.optimizer import set_learning_rate


class TrainStep:
    """The paper's loss and its gradient, and the optimiser's update. It keeps no count: the caller names the step."""

    def __init__(
        self,
        model: SSD,
        optimizer: torch.optim.Optimizer,
        config: TrainConfig,
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        self.model, self.optimizer, self.config = model, optimizer, config
        self.device, self.precision = device, precision
        self.match: Callable[..., torch.Tensor] = match if config.rules == "paper" else match_as_seed
        self.loss = MultiBoxLoss(
            model.default_boxes,
            model.settings.variances,
            localization="smooth_l1" if config.rules == "paper" else "l1_mean",
        )

    def __call__(self, batch: Batch, step: int) -> Losses:
        """Raises RunError, before the weights are touched, if the loss or a gradient is not finite."""
        images, targets = batch.images.to(self.device), batch.targets.to(self.device)
        if batch.photometric is None:
            pictures = to_float(images)
        else:
            pictures = apply_photometric(images, batch.photometric.to(self.device), self.model.mean)
        matched = self.match(targets, self.model.default_boxes)
        normalizer = (matched >= 0).sum().clamp(min=1).float()  # of the whole batch, whatever its parts
        localization = classification = torch.zeros((), device=self.device)
        self.optimizer.zero_grad(set_to_none=True)
        for rows in self._parts(len(batch)):
            with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
                predictions = self.model(pictures[rows])
            part = self.loss(predictions, targets.part(rows), matched[rows], normalizer=normalizer)
            part.total.backward()  # type: ignore[no-untyped-call]  # torch's own
            localization = localization + part.localization.detach()
            classification = classification + part.classification.detach()
        losses = Losses(localization, classification)
        longest = self.config.grad_clip if self.config.grad_clip is not None else torch.inf
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), longest)
        if not torch.isfinite(losses.total) or not torch.isfinite(norm):
            raise RunError(
                f"the loss is {losses.total.item()} and the gradient's norm {norm.item()}; the weights are as before",
                where=f"step {step + 1}, images {', '.join(batch.image_ids)}",
                fix="Look at these pictures and their boxes; lower --lr, or set --grad-clip.",
            )
        set_learning_rate(self.optimizer, self.config.learning_rate(step))
        self.optimizer.step()
        return losses

    def _parts(self, count: int) -> list[slice]:
        size = -(-count // self.config.accumulate)
        return [slice(first, first + size) for first in range(0, count, size)]
