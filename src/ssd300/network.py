"""Weights in torch: pictures in, detections out. Training's evaluation and `ssd300 detect` go through here."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8

from ssd300.model import SSD
from ssd300.model.postprocess import postprocess
from ssd300.pixels import to_input
from ssd300.types import Detections, Selection
from ssd300.weights import Card


class TorchNetwork:
    """A model with its card, in evaluation mode on a device."""

    def __init__(
        self, model: SSD, card: Card, *, device: torch.device | None = None, precision: torch.dtype = torch.float32
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.card = card
        self.precision = precision

    @torch.no_grad()
    def detect(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
        """Detections relative to each picture, as `postprocess` gives them."""
        settings = self.model.settings
        inputs = [to_input(image, settings.image_size_px, self.card.resize) for image in images]
        batch = torch.stack(inputs).to(self.device)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            predictions = self.model(batch)
        return postprocess(
            predictions,
            self.model.default_boxes,
            settings.variances,
            classes=self.card.classes,
            selection=selection,
            clip=self.card.clip_boxes,
        )
