"""The interface of a network, whatever runs it: weights in torch, an exported file, or either of them in tiles.

`prepare` and `detect_batch` are the path from pixels to boxes in pixels of the original image. Detection, evaluation
and the server use them.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from ssd300.types import Detections, Selection


@runtime_checkable
class Described(Protocol):
    """The properties that `weights.Card` and `runtime.Manifest` share."""

    @property
    def model(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def image_size_px(self) -> int: ...
    @property
    def metric(self) -> Mapping[str, Any] | None: ...
    @property
    def min_scores(self) -> Mapping[str, float]: ...
    @property
    def source(self) -> Mapping[str, Any]: ...


@runtime_checkable
class Network(Protocol):
    """Detection in three steps, so that images can be prepared in other threads and each step can be timed."""

    @property
    def card(self) -> Described: ...
    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> Any:
        """The image (RGB) at the network's size. Threads may call it at the same time."""

    def predict(self, inputs: Sequence[Any], selection: Selection) -> Any:
        """The raw output for a batch of what `prepare` returned; its type is the network's."""

    def select(self, predictions: Any, selection: Selection) -> list[Detections]:
        """Detections of each image, boxes relative (0..1), best score first."""


def detect(network: Network, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
    """All three steps for one batch; boxes stay relative. To compare networks."""
    return network.select(network.predict([network.prepare(image) for image in images], selection), selection)


class Prepared(NamedTuple):
    """An image as the network takes it, and the size of the original, in whose pixels its boxes will be."""

    input: Any
    size_hw: tuple[int, int]


class BatchDetections(NamedTuple):
    """Detections of each image of a batch, boxes in pixels of the original images, and the seconds of two steps."""

    detections: list[Detections]
    network_s: float
    select_s: float


def prepare(network: Network, image: UInt8[np.ndarray, "h w 3"]) -> Prepared:
    """Resize an image (RGB) for the network. Threads may call it at the same time."""
    return Prepared(network.prepare(image), (image.shape[0], image.shape[1]))


def detect_batch(network: Network, images: Sequence[Prepared], selection: Selection) -> BatchDetections:
    """Run a batch of prepared images, also of none, through the network, select detections and scale their boxes."""
    started = time.monotonic()
    predictions = network.predict([image.input for image in images], selection)
    predicted = time.monotonic()
    found = network.select(predictions, selection)
    selected = time.monotonic()
    placed = [detections.scaled(image.size_hw) for detections, image in zip(found, images, strict=True)]
    return BatchDetections(placed, predicted - started, selected - predicted)
