"""An exported file as a network: images in, detections out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import UsageError
from ssd300.images.resize import to_size
from ssd300.runtime.manifest import Manifest
from ssd300.runtime.selection import class_min_scores, select_detections
from ssd300.runtime.sessions import Arrays, open_session
from ssd300.types import Detections, Selection


class ExportedNetwork:
    """A file of `ssd300 export`, ready to run. Threads may share one."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self._session = open_session(path, threads=threads)
        self.path = path

    @property
    def card(self) -> Manifest:
        return self._session.manifest

    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> np.ndarray:
        """The image (RGB) at the network's size."""
        return to_size(image, self.card.image_size_px, self.card.resize)

    def predict(self, inputs: Sequence[np.ndarray], selection: Selection) -> Arrays:
        """The outputs of the file, for any number of images, also 0. If it contains non-maximum suppression, they are
        selected as `selection` asks.

        Raises:
            UsageError: `selection` asks for more detections per image than the file can give.
        """
        card = self.card
        images = {"images": np.stack(inputs) if inputs else self._no_images()}
        if not card.suppresses:
            return self._session.run(images)
        if card.top_k is not None and selection.top_k > card.top_k:
            raise UsageError(
                f"the file gives at most {card.top_k} detections per image, not {selection.top_k}",
                where=self.path,
                fix="Lower --top-k, or export with --no-nms.",
            )
        min_scores = class_min_scores(selection, len(card.classes))
        return self._session.run(
            images
            | {
                "min_score": np.nextafter(min_scores.astype(np.float32), np.float32(-1)),  # so that rounding loses none
                "max_overlap": np.array([selection.max_overlap], np.float32),
            }
        )

    def _no_images(self) -> np.ndarray:
        nothing = self.prepare(np.zeros((1, 1, 3), np.uint8))
        return np.zeros((0, *nothing.shape), nothing.dtype)

    def select(self, predictions: Arrays, selection: Selection) -> list[Detections]:
        """Detections of each image, boxes relative (0..1), best score first."""
        card = self.card
        if not card.suppresses:
            return [
                select_detections(boxes, scores, classes=card.classes, selection=selection)
                for boxes, scores in zip(predictions["boxes"], predictions["scores"], strict=True)
            ]
        min_scores = class_min_scores(selection, len(card.classes))
        results = []
        labels_of = predictions["labels"].astype(np.int64)  # it may be numpy's other type of 64-bit integers
        for boxes, scores, labels in zip(predictions["boxes"], predictions["scores"], labels_of, strict=True):
            rows = np.flatnonzero((scores > 0) & (scores > min_scores[labels]))[: selection.top_k]
            results.append(
                Detections(boxes=boxes[rows], scores=scores[rows], labels=labels[rows], classes=card.classes)
            )
        return results


def load_exported(path: Path, *, threads: int | None = None) -> ExportedNetwork:
    """The network in an .onnx or .xml file. Raises WeightsError, and UsageError if its engine is not installed."""
    return ExportedNetwork(path, threads=threads)
