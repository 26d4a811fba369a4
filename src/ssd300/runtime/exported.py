"""An exported file as a network: images in, detections out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import UsageError
from ssd300.images.resize import to_size
from ssd300.runtime.manifest import Manifest
from ssd300.runtime.selection import lowest_scores, select_detections
from ssd300.runtime.sessions import Arrays, open_session
from ssd300.types import Detections, Selection


class ExportedNetwork:
    """What `ssd300 export` wrote, ready to run. Threads may share one."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self._session = open_session(path, threads=threads)
        self.path = path

    @property
    def card(self) -> Manifest:
        return self._session.manifest

    def prepare(self, image: UInt8[np.ndarray, "_ _ 3"]) -> np.ndarray:
        return to_size(image, self.card.image_size_px, self.card.resize)

    def predict(self, inputs: Sequence[np.ndarray], selection: Selection) -> Arrays:
        """The file's outputs; where suppression is inside, they are suppressed as `selection` says.

        Raises:
            UsageError: more detections an image are wanted than the file can give.
        """
        card = self.card
        images = {"images": np.stack(inputs)}
        if not card.suppresses:
            return self._session.run(images)
        if card.top_k is not None and selection.top_k > card.top_k:
            raise UsageError(
                f"the file gives {card.top_k} detections an image at most, {selection.top_k} are wanted",
                where=self.path,
                fix="Lower --top-k, or export with --no-nms.",
            )
        lowest = lowest_scores(selection, len(card.classes))
        return self._session.run(
            images
            | {
                "min_score": np.nextafter(lowest.astype(np.float32), np.float32(-1)),  # rounding must not lose any
                "max_overlap": np.array([selection.max_overlap], np.float32),
            }
        )

    def select(self, predictions: Arrays, selection: Selection) -> list[Detections]:
        """Detections relative to each image, best first."""
        card = self.card
        if not card.suppresses:
            return [
                select_detections(boxes, scores, classes=card.classes, selection=selection)
                for boxes, scores in zip(predictions["boxes"], predictions["scores"], strict=True)
            ]
        lowest = lowest_scores(selection, len(card.classes))
        results = []
        labels_of = predictions["labels"].astype(np.int64)  # numpy has another 64-bit integer, which this may be
        for boxes, scores, labels in zip(predictions["boxes"], predictions["scores"], labels_of, strict=True):
            rows = np.flatnonzero((scores > 0) & (scores > lowest[labels]))[: selection.top_k]
            results.append(
                Detections(boxes=boxes[rows], scores=scores[rows], labels=labels[rows], classes=card.classes)
            )
        return results


def load_exported(path: Path, *, threads: int | None = None) -> ExportedNetwork:
    """The network in an .onnx or .xml file. Raises WeightsError, and UsageError where its engine is missing."""
    return ExportedNetwork(path, threads=threads)
