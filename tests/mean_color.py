"""Networks for tests of jobs: they find one box per image, with the image's mean as its score.

They are in a module of their own so that other processes can load them.
"""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from ssd300.detection.bulk import own_process
from ssd300.detection.bulk.run import BulkOptions, Model, Outcome, detect_in_bulk
from ssd300.detection.bulk.work import Work
from ssd300.errors import WeightsError
from ssd300.types import Detections, Selection

BLACK = 0.0


class Card:
    classes = ("blue", "red")
    min_scores: ClassVar[dict[str, float]] = {}
    source: ClassVar[dict[str, str]] = {}
    model, image_size_px, metric = "drawn", 8, None


class MeanColor:
    """A network that finds one box per image, with the image's mean as its score."""

    card = Card()
    seen = 0

    def prepare(self, image: np.ndarray) -> float:
        return float(image.mean()) / 255

    def predict(self, inputs, selection) -> list[float]:
        self.seen += len(inputs)
        return list(inputs)

    def select(self, predictions, selection) -> list[Detections]:
        box = np.array([[0.25, 0.25, 0.5, 0.5]])
        return [
            Detections(boxes=box, scores=np.array([mean]), labels=np.array([1]), classes=self.card.classes)
            for mean in predictions
        ]


class Killer(MeanColor):
    """Ends its process at a black image, as a fault in a library does."""

    def prepare(self, image: np.ndarray) -> float:
        if image.mean() == BLACK:
            os._exit(9)
        return super().prepare(image)


def load_with_a_reader_that_kills() -> MeanColor:
    real = own_process.members

    def members(*arguments):
        for member in real(*arguments):
            if member.place == 4:
                os._exit(11)
            yield member

    own_process.members = members
    return MeanColor()


def refuse() -> MeanColor:
    raise WeightsError("the weights are gone")


def do(source: Path, out: Path, weights: Path, load=Killer, network=Killer, retry=False) -> Outcome:
    """A job, six images a chunk."""
    weights.write_bytes(b"these weights")
    model = Model(weights=str(weights), network=network(), load=load, device="cpu")
    selection = Selection(min_score=0.2, max_overlap=0.5, top_k=200)
    work = Work(
        out=str(out), base=str(Path.cwd()), form="parquet", selection=selection, suppress=frozenset(), batch_size=4,
        retry=retry,
    )  # fmt: skip
    return detect_in_bulk([str(source)], model, work, BulkOptions(chunk_images=6))
