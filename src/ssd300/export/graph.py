"""The network as an ONNX graph: pixels in, boxes and scores of all default boxes out."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from ssd300.errors import UsageError, install_hint
from ssd300.export.opset import OPSET
from ssd300.images.resize import ANTIALIASED
from ssd300.images.to_tensor import WHITE
from ssd300.model import SSD
from ssd300.model.boxes import decode
from ssd300.weights import Card

IMAGES, BOXES, SCORES = "images", "boxes", "scores"


class Deployed(nn.Module):
    """What an exported file computes: preprocessing after the resize, network, softmax and decoding of boxes."""

    def __init__(self, model: SSD, *, clip: bool) -> None:
        super().__init__()
        self.model = model
        self.clip = clip

    def forward(
        self, images: Shaped[Tensor, "batch size size 3"]
    ) -> tuple[Float[Tensor, "batch boxes 4"], Float[Tensor, "batch boxes classes"]]:
        """Relative xyxy boxes and the scores of all classes without background. Images are RGB, 0..255."""
        predictions = self.model(images.permute(0, 3, 1, 2).to(torch.float32) / WHITE)
        defaults = self.model.default_boxes.expand_as(predictions.offsets)
        boxes = decode(predictions.offsets, defaults, self.model.settings.variances)
        scores = predictions.logits.softmax(dim=2)[..., 1:]
        return boxes.clamp(0, 1) if self.clip else boxes, scores


def to_onnx(model: SSD, card: Card) -> Any:
    """The graph as an onnx.ModelProto of OPSET, for any batch size; `model` is put into evaluation mode.

    Its input is uint8 for weights whose images are resized with antialiasing, else float32 in 0..255.

    Raises:
        UsageError: onnx or onnxscript is missing.
    """
    try:
        for name in ("onnx", "onnxscript"):  # the exporter needs both
            import_module(name)
    except ImportError as error:
        raise UsageError("the export needs onnx and onnxscript", fix=install_hint("onnx")) from error
    size = model.settings.image_size_px
    kind = torch.uint8 if card.resize == ANTIALIASED else torch.float32
    example = torch.zeros(2, size, size, 3, dtype=kind)
    deployed = Deployed(model.eval(), clip=card.clip_boxes)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings(), _nothing_in_place(deployed):
            warnings.simplefilter("ignore")  # the exporter warns about its own internals
            program = torch.export.export(deployed, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
            exported = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[IMAGES],
                output_names=[BOXES, SCORES],
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    assert exported is not None
    return exported.model_proto


@contextmanager
def _nothing_in_place(network: nn.Module) -> Iterator[None]:
    """Within this no layer overwrites its input: the exporter needs a third of its time for those that do."""
    in_place: list[Any] = [layer for layer in network.modules() if getattr(layer, "inplace", False)]
    for layer in in_place:
        layer.inplace = False
    try:
        yield
    finally:
        for layer in in_place:
            layer.inplace = True
