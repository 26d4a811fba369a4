"""Detection: pictures in, detections in original pixels out. The one path of `detect` and `evaluate`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from ssd300.data.images import read_image
from ssd300.model import SSD
from ssd300.model.postprocess import Selection, postprocess
from ssd300.resize import to_input
from ssd300.types import Detections
from ssd300.weights import Card, load_weights

USUAL_MIN_SCORE = 0.2  # this and the others of DISPLAY are those of the seed's detect.py
DISPLAY = Selection(min_score=USUAL_MIN_SCORE, max_overlap=0.5, top_k=200)
Picture = str | Path | Image.Image | UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(Detections):
    """Detections in pixels of the original picture, with the picture. `image` is its path, "" where it has none."""

    image: str
    pixels: UInt8[np.ndarray, "h w 3"] = field(repr=False)

    def draw(self) -> Image.Image:
        """Boxes, names and scores on a copy of the picture."""
        from ssd300.reporting.draw import draw_detections

        drawn: Image.Image = draw_detections(self.pixels, self)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """One line of `detections.jsonl`; boxes are 0-based half-open pixels."""
        height, width = self.pixels.shape[:2]
        rows = zip(self.names, self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True)
        return {
            "image": self.image,
            "width": width,
            "height": height,
            "detections": [
                {
                    "label": name,
                    "label_id": label,
                    "score": score,
                    "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)),
                }
                for name, label, score, box in rows
            ],
        }


class Detector:
    """A network with its weights, ready to be called with pictures."""

    def __init__(
        self, model: SSD, card: Card, *, device: torch.device | None = None, precision: torch.dtype = torch.float32
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.card = card
        self.precision = precision

    @classmethod
    def load(cls, weights: str | Path, *, device: str = "cpu") -> "Detector":
        """From a run folder or a weights file. Raises WeightsError."""
        model, card = load_weights(weights)
        return cls(model, card, device=torch.device(device))

    def __call__(
        self,
        pictures: Picture | Sequence[Picture],
        *,
        min_score: float | None = None,
        max_overlap: float = DISPLAY.max_overlap,
        top_k: int = DISPLAY.top_k,
    ) -> Any:
        """The Result of a path, PIL image or RGB array; of a list, a list. Without `min_score` as `selection` says.

        Raises DataError for what is no picture.
        """
        selection = self.selection(min_score, max_overlap=max_overlap, top_k=top_k)
        if isinstance(pictures, (list, tuple)):
            return list(self.stream(pictures, selection, batch_size=8))
        return next(self.stream([pictures], selection, batch_size=1))  # type: ignore[list-item]  # not a sequence here

    def selection(
        self,
        min_score: float | None = None,
        *,
        max_overlap: float = DISPLAY.max_overlap,
        top_k: int = DISPLAY.top_k,
    ) -> Selection:
        """What is to be shown. Without `min_score` it is what the weights hold for each class, or else USUAL_MIN_SCORE.

        Raises:
            ValueError: a value is out of its range.
        """
        stored, usual = self.card.min_scores, USUAL_MIN_SCORE
        if min_score is None and stored:
            scores = tuple(stored.get(name, usual) for name in self.card.classes)
            return Selection(min_score=scores, max_overlap=max_overlap, top_k=top_k)
        return Selection(min_score=usual if min_score is None else min_score, max_overlap=max_overlap, top_k=top_k)

    def stream(self, pictures: Sequence[Picture], selection: Selection, *, batch_size: int) -> Iterator[Result]:
        """Results one after another, `batch_size` pictures at a time in memory."""
        for first in range(0, len(pictures), batch_size):
            group = pictures[first : first + batch_size]
            pixels = [_pixels(picture) for picture in group]
            for picture, image, found in zip(group, pixels, self.detect(pixels, selection), strict=True):
                scaled = found.scaled((image.shape[0], image.shape[1]))
                name = str(picture) if isinstance(picture, (str, Path)) else ""
                yield Result(**vars(scaled), image=name, pixels=image)

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


def _pixels(picture: Picture) -> UInt8[np.ndarray, "h w 3"]:
    if isinstance(picture, (str, Path)):
        return read_image(Path(picture))
    if isinstance(picture, Image.Image):
        return np.asarray(picture.convert("RGB"))
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            f"the array has shape {picture.shape} and type {picture.dtype}; pictures are RGB, (height, width, 3), uint8"
        )
    return picture
