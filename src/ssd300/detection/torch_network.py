"""A network whose weights torch runs: images in, detections out."""

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd300.images.to_tensor import to_input
from ssd300.model import SSD
from ssd300.model.postprocess import postprocess
from ssd300.model.predictions import Predictions
from ssd300.types import Detections, Selection
from ssd300.weights import Card


class TorchNetwork:
    """A model with its card, in evaluation mode on a device, which are both set on the model itself."""

    def __init__(
        self, model: SSD, card: Card, *, device: torch.device | None = None, precision: torch.dtype = torch.float32
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.card = card
        self.precision = precision
        self._forward: Callable[[Tensor], Predictions] = self.model
        self._batch_size: int | None = None

    def compile(self, batch_size: int) -> float:
        """Compile the network with torch.compile for batches of `batch_size`. Returns the seconds that it took.

        Smaller batches are padded from then on, as another size would be compiled again.
        """
        started = time.monotonic()
        logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # about a CUDA that may not be there
        self._forward, self._batch_size = torch.compile(self.model), batch_size
        size = self.model.settings.image_size_px
        self.predict([torch.zeros(3, size, size)], Selection())
        return time.monotonic() - started

    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> Float[Tensor, "3 size size"]:
        """The image (RGB) at the network's size, RGB in 0..1, on the CPU."""
        return to_input(image, self.model.settings.image_size_px, self.card.resize)

    @torch.no_grad()
    def predict(self, inputs: Sequence[Float[Tensor, "3 size size"]], _selection: Selection) -> Predictions:
        if not inputs:
            rows = len(self.model.default_boxes)
            return Predictions(torch.zeros(0, rows, len(self.card.classes) + 1), torch.zeros(0, rows, 4))
        padding = max((self._batch_size or 0) - len(inputs), 0)
        batch = torch.stack([*inputs, *[torch.zeros_like(inputs[0])] * padding]).to(self.device)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            predictions = self._forward(batch)
        return Predictions(*(part[: len(inputs)] for part in predictions))

    def select(self, predictions: Predictions, selection: Selection) -> list[Detections]:
        """Detections of each image, boxes relative (0..1), best score first, as of `postprocess`."""
        return postprocess(
            predictions,
            self.model.default_boxes,
            self.model.settings.variances,
            classes=self.card.classes,
            selection=selection,
            clip=self.card.clip_boxes,
        )
