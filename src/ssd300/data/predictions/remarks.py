"""What is worth a note about predictions that are read in blocks: counts over all of them.

No file is known here. `PredictionRows` shows every block to `Remarks`, and hands on its notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from ssd300.data.predictions.origin import UNKNOWN, Origin
from ssd300.system.wording import counted
from ssd300.types import Annotation, DetectionTable

USUAL_MIN_SCORE = 0.05  # a higher minimum in stored detections costs AP: precision at high recall comes from low scores
ALIKE = 3  # images with the very number that no image exceeds: a sign that their number was cut
OUTSIDE_PX = 1.0  # a box that leaves its image by more is reported


@dataclass
class Remarks:
    """Counts over the blocks that were looked at; `failed` are images that the detector could not read."""

    annotations: Sequence[Annotation]
    origin: Origin = UNKNOWN
    found: Bool[np.ndarray, " images"] = field(init=False, repr=False)  # the images with a detection
    limits_wh: Float[np.ndarray, "images 2"] = field(init=False, repr=False)
    detections: int = 0
    most_per_image: int = 0
    with_most: int = 0  # images with so many
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
        most = int(counts.max())
        if most > self.most_per_image:
            self.most_per_image, self.with_most = most, 0
        self.with_most += int((counts == self.most_per_image).sum())
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

    def notes(self, *, with_a_row: int | None = None) -> list[str]:
        """Remarks to print: images with an error, without a row or without detections, boxes inverted or outside, a
        high minimum. `with_a_row` counts the images that have a row; None for formats without rows of images.
        """
        notes = []
        total = len(self.found)
        without_row = 0 if with_a_row is None else total - with_a_row
        if self.failed:
            notes.append(
                counted(self.failed, "{image has|images have} an error and {counts|count} as without detections")
                + f"; the first: {self.first_failed}"
            )
        if without_row:
            notes.append(
                f"{without_row:,} of {total:,} images have no row in the predictions, and count as without detections"
            )
        if empty := total - without_row - int(self.found.sum()):
            notes.append(f"{empty} of {total} images have {'a row and ' if without_row else ''}no detection")
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
            notes.append(self._why_no_lower(self.lowest_score))
        return notes

    def _why_no_lower(self, lowest: float) -> str:
        """What cut the scores below the lowest one, as far as that is known: the score, or the number in an image."""
        begin, known = f"no score is below {lowest:.3g}", self.origin.lowest_min_score
        most = f"{self.most_per_image} detections, the most"
        if known is not None and known <= USUAL_MIN_SCORE:
            if self.most_per_image != self.origin.top_k:
                return f"{begin}, though all above {known:g} were kept: the detector gives no lower ones"
            images = counted(self.with_most, "{image has|images have} so many")
            kept = f"the best {self.origin.top_k} of each image were kept, and {images}"
            return f"{begin}: {kept}; a higher `ssd300 detect --top-k` stores more"
        if known is None and self.with_most >= ALIKE:
            return (
                f"{begin}, and {self.with_most:,} images have {most}: others may have been cut by their number or by "
                "their score, and are missing from AP; `ssd300 detect --min-score 0.01 --top-k N` stores more"
            )
        return (
            f"{begin}: detections with lower scores are missing from AP; store them, as `ssd300 detect --min-score "
            "0.01` does"
        )
