"""What turns images into detections, whatever runs it: weights in torch, an exported file, either in tiles."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from ssd300.types import Detections, Selection


@runtime_checkable
class Described(Protocol):
    """What a network says of itself, as `weights.Card` and `runtime.Manifest` do."""

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
    """Three steps, so that images can be prepared in other threads, and each step timed."""

    @property
    def card(self) -> Described: ...
    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> Any:
        """The image at the network's size. Threads may call it at the same time."""

    def predict(self, inputs: Sequence[Any], selection: Selection) -> Any:
        """The network's own output for some of what `prepare` gave."""

    def select(self, predictions: Any, selection: Selection) -> list[Detections]:
        """Detections relative to each image, best first."""


def detect(network: Network, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
    """All three steps for one batch."""
    return network.select(network.predict([network.prepare(image) for image in images], selection), selection)
