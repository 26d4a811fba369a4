"""What is worth a note about predictions that are read in blocks: counts over all of them.

No file is known here. `PredictionRows` shows every block to `Remarks`, and hands on its notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from ssd300.system.wording import counted
from ssd300.types import Annotation, DetectionTable

USUAL_MIN_SCORE = 0.05  # a higher minimum in stored detections costs AP: precision at high recall comes from low scores
OUTSIDE_PX = 1.0  # a box that leaves its image by more is reported


@dataclass
class Remarks:
    """Counts over the blocks that were looked at; `failed` are images that the detector could not read."""

    annotations: Sequence[Annotation]
    found: Bool[np.ndarray, " images"] = field(init=False, repr=False)  # the images with a detection
    limits_wh: Float[np.ndarray, "images 2"] = field(init=False, repr=False)
    detections: int = 0
    most_per_image: int = 0
    lowest_score: float | None = None
    inverted: int = 0
    outside: int = 0
    failed: int = 0
    first_failed: str = ""

    def __post_init__(self) -> None:
        self.found = np.zeros(len(self.annotations), dtype=bool)
        sizes = [annotation.size_hw or (np.inf, np.inf) for annotation in self.annotations]
        self.limits_wh = np.array(sizes, dtype=float).reshape(-1, 2)[:, ::-1]

    def look(self, block: DetectionTable) -> None:
        """Count a block. All detections of an image must be in one block, or `most_per_image` is too low."""
        if not len(block):
            return
        images, boxes = block.image_index, block.boxes_px
        present, counts = np.unique(images, return_counts=True)
        self.found[present] = True
        self.detections += len(block)
        self.most_per_image = max(self.most_per_image, int(counts.max()))
        lowest = float(block.scores.min())
        self.lowest_score = lowest if self.lowest_score is None else min(self.lowest_score, lowest)
        inverted = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
        limits = self.limits_wh[images] + OUTSIDE_PX
        outside = (boxes < -OUTSIDE_PX).any(axis=1) | (boxes[:, 2:] > limits).any(axis=1)
        self.inverted += int(inverted.sum())
        self.outside += int((outside & ~inverted).sum())

    def fail(self, where: str, error: str) -> None:
        """Count an image whose row has an error instead of detections."""
        self.failed += 1
        self.first_failed = self.first_failed or f"{where}: {error}"

    def notes(self) -> list[str]:
        """Remarks to print: images with an error or without detections, boxes inverted or outside, a high minimum."""
        notes = []
        if self.failed:
            notes.append(
                counted(self.failed, "{image has|images have} an error and {counts|count} as without detections")
                + f"; the first: {self.first_failed}"
            )
        if empty := len(self.found) - int(self.found.sum()):
            notes.append(f"{empty} of {len(self.found)} images have no detection")
        if self.inverted:
            notes.append(
                counted(
                    self.inverted,
                    "{box is|boxes are} inverted: {it matches|they match} no object, and {counts|count} as false",
                )
            )
        if self.outside:
            notes.append(
                counted(
                    self.outside,
                    "{box leaves its image; it is used as it is|boxes leave their images; they are used as they are}",
                )
            )
        if self.lowest_score is not None and self.lowest_score > USUAL_MIN_SCORE:
            notes.append(
                f"no score is below {self.lowest_score:.3g}: detections with lower scores are missing from AP; store "
                "them, as `ssd300 detect --min-score 0.01` does"
            )
        return notes
