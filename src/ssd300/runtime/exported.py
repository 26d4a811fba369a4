"""An exported file as a network: pictures in, detections out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import UsageError
from ssd300.resize import to_size
from ssd300.runtime.manifest import Manifest
from ssd300.runtime.selection import lowest_scores, select_detections
from ssd300.runtime.sessions import open_session
from ssd300.types import Detections, Selection


class ExportedNetwork:
    """What `ssd300 export` wrote, ready to run. Threads may share one."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self._session = open_session(path, threads=threads)
        self.path = path

    @property
    def card(self) -> Manifest:
        return self._session.manifest

    def detect(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
        """Detections relative to each picture, best first.

        Raises:
            UsageError: more detections a picture are wanted than the file can give.
        """
        card = self.card
        batch = np.stack([to_size(image, card.image_size_px, card.resize) for image in images])
        if card.suppresses:
            return self._suppressed(batch, selection)
        found = self._session.run({"images": batch})
        return [
            select_detections(boxes, scores, classes=card.classes, selection=selection)
            for boxes, scores in zip(found["boxes"], found["scores"], strict=True)
        ]

    def _suppressed(self, batch: np.ndarray, selection: Selection) -> list[Detections]:
        card = self.card
        if card.top_k is not None and selection.top_k > card.top_k:
            raise UsageError(
                f"the file gives {card.top_k} detections a picture at most, {selection.top_k} are wanted",
                where=self.path,
                fix="Lower --top-k, or export with --no-nms.",
            )
        lowest = lowest_scores(selection, len(card.classes))
        found = self._session.run(
            {
                "images": batch,
                "min_score": np.nextafter(lowest.astype(np.float32), np.float32(-1)),  # rounding must not lose any
                "max_overlap": np.array([selection.max_overlap], np.float32),
            }
        )
        results = []
        labels_of = found["labels"].astype(np.int64)  # numpy has another 64-bit integer, which this may be
        for boxes, scores, labels in zip(found["boxes"], found["scores"], labels_of, strict=True):
            rows = np.flatnonzero((scores > 0) & (scores > lowest[labels]))[: selection.top_k]
            results.append(
                Detections(boxes=boxes[rows], scores=scores[rows], labels=labels[rows], classes=card.classes)
            )
        return results


def load_exported(path: Path, *, threads: int | None = None) -> ExportedNetwork:
    """The network in an .onnx or .xml file. Raises WeightsError, and UsageError where its engine is missing."""
    return ExportedNetwork(path, threads=threads)
