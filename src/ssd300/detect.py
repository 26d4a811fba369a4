"""Detection: pictures in, detections in original pixels out. The one path of `detect` and `evaluate`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.data.images import read_image
from ssd300.errors import DataError
from ssd300.types import Detections, Selection

USUAL_MIN_SCORE = 0.2  # this and the others of DISPLAY are those of the seed's detect.py
DISPLAY = Selection(min_score=USUAL_MIN_SCORE, max_overlap=0.5, top_k=200)
TorchPrecision = Literal["float32", "bfloat16"]
EXPORTED = (".onnx", ".xml")
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

    def to_voc_xml(self) -> str:
        """A file of VOC's annotations, with the score of each object, as labelImg, CVAT and Label Studio open it."""
        from ssd300.data.voc_xml import to_xml

        height, width = self.pixels.shape[:2]
        objects = [(name, box, False, False) for name, box in zip(self.names, self.boxes.tolist(), strict=True)]
        xml: str = to_xml(Path(self.image).name, (height, width), objects, scores=self.scores.tolist())
        return xml

    def to_coco(self, image_id: int | str | None = None) -> list[dict[str, Any]]:
        """Rows of COCO results: boxes as left, top, width, height in pixels; categories count from 1.

        `image_id` is this picture's among the annotations; left out, its file's name without the ending.
        """
        image = Path(self.image).stem if image_id is None else image_id
        return [
            {
                "image_id": image,
                "category_id": label + 1,
                "bbox": [left, top, right - left, bottom - top],
                "score": score,
            }
            for label, score, (left, top, right, bottom) in zip(
                self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True
            )
        ]

    def to_supervision(self) -> Any:
        """As supervision's Detections, with the class names under `class_name`. Raises ImportError without it."""
        import supervision

        return supervision.Detections(
            xyxy=self.boxes.astype(np.float32),
            confidence=self.scores.astype(np.float32),
            class_id=self.labels.astype(int),
            data={"class_name": np.array(self.names, dtype=object)},
        )

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


@runtime_checkable
class Described(Protocol):
    """What a network says of itself, as `weights.Card` and `runtime.Manifest` do."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def min_scores(self) -> Mapping[str, float]: ...
    @property
    def source(self) -> Mapping[str, Any]: ...


@runtime_checkable
class Network(Protocol):
    """What turns pictures into detections: weights in torch, or an exported file in another runtime."""

    @property
    def card(self) -> Described: ...
    def detect(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
        """Detections relative to each picture, best first."""


class Detector:
    """A network, ready to be called with pictures. Threads may share one."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.card = network.card

    @classmethod
    def load(cls, weights: str | Path, *, device: str = "cpu", precision: TorchPrecision = "float32") -> "Detector":
        """From a run folder, a weights file, a name of published weights, or an exported .onnx or .xml file.

        `device` and `precision` are torch's; an exported file has its own, on the CPU.

        Raises:
            WeightsError: there is nothing of that name, or it is something else, or damaged.
            UsageError: the library that runs an exported file is missing.
        """
        if is_exported(weights):
            from ssd300.runtime import load_exported

            return cls(load_exported(Path(weights)))
        import torch

        from ssd300.network import TorchNetwork
        from ssd300.weights import load_weights

        model, card = load_weights(weights)
        return cls(TorchNetwork(model, card, device=torch.device(device), precision=getattr(torch, precision)))

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

    def stream(
        self,
        pictures: Sequence[Picture],
        selection: Selection,
        *,
        batch_size: int,
        on_bad: Callable[[int, DataError], None] | None = None,
    ) -> Iterator[Result]:
        """Results one after another, `batch_size` pictures at a time in memory.

        A picture that cannot be read raises DataError, or is left out when `on_bad` takes its number and the error.
        """
        for first in range(0, len(pictures), batch_size):
            group, pixels = [], []
            for number, picture in enumerate(pictures[first : first + batch_size], start=first):
                try:
                    pixels.append(_pixels(picture))
                    group.append(picture)
                except DataError as error:
                    if on_bad is None:
                        raise
                    on_bad(number, error)
            if not group:
                continue
            for picture, image, found in zip(group, pixels, self.detect(pixels, selection), strict=True):
                scaled = found.scaled((image.shape[0], image.shape[1]))
                name = str(picture) if isinstance(picture, (str, Path)) else ""
                yield Result(**vars(scaled), image=name, pixels=image)

    def detect(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
        """Detections relative to each picture, of one batch."""
        return self.network.detect(images, selection)


def is_exported(weights: str | Path) -> bool:
    """Whether it is a file for another runtime than torch, by its ending."""
    return Path(weights).suffix.lower() in EXPORTED


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
