"""Detection: images in, detections in original pixels out. The one path of `detect` and `evaluate`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.detection.network import Network, detect
from ssd300.detection.results import Result
from ssd300.detection.tiles import TiledNetwork
from ssd300.detection.video import Frame
from ssd300.errors import DataError, DownloadError, SSDError
from ssd300.images.read import decode_image, read_image
from ssd300.system.threads import ordered_map
from ssd300.system.web import is_address, read_web
from ssd300.types import Detections, Selection

USUAL_MIN_SCORE = 0.2  # this and the others of DISPLAY are those of pytorch-SSD300's detect.py
DISPLAY = Selection(min_score=USUAL_MIN_SCORE, max_overlap=0.5, top_k=200)
TorchPrecision = Literal["float32", "bfloat16"]
EXPORTED = (".onnx", ".xml")
BATCH = 8
AHEAD = 2
ImageLike = str | Path | Image.Image | Frame | UInt8[np.ndarray, "h w 3"]


class Detector:
    """A network, ready to be called with images. Threads may share one."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.card = network.card

    @classmethod
    def load(
        cls,
        weights: str | Path,
        *,
        device: str = "cpu",
        precision: TorchPrecision = "float32",
        tile_px: int | None = None,
    ) -> "Detector":
        """From a run folder, a weights file, a name of published weights, or an exported .onnx or .xml file.

        `device` and `precision` are torch's; an exported file has its own, on the CPU. With `tile_px` images are
        looked at whole and in tiles of so many pixels a side (`tiles`).

        Raises:
            WeightsError: there is nothing of that name, or it is something else, or damaged.
            UsageError: the library that runs an exported file is missing.
        """
        network = load_network(weights, device=device, precision=precision)
        return cls(network if tile_px is None else TiledNetwork(network, tile_px))

    def __call__(
        self,
        images: ImageLike | Sequence[ImageLike],
        *,
        min_score: float | None = None,
        max_overlap: float = DISPLAY.max_overlap,
        top_k: int = DISPLAY.top_k,
    ) -> Any:
        """The Result of a path, PIL image or RGB array; of a list, a list. Without `min_score` as `selection` says.

        Raises DataError for what is no image.
        """
        selection = self.selection(min_score, max_overlap=max_overlap, top_k=top_k)
        if isinstance(images, (list, tuple)):
            return list(self.stream(images, selection, batch_size=BATCH))
        return next(self.stream([images], selection, batch_size=1))  # type: ignore[list-item]  # not a sequence here

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
        images: Iterable[ImageLike],
        selection: Selection | None = None,
        *,
        batch_size: int = BATCH,
        on_bad: Callable[[int, SSDError], None] | None = None,
    ) -> Iterator[Result]:
        """Results one after another, in the images' order, while the next ones are read in other threads.

        At most `AHEAD` batches of `batch_size` images are in memory. An image that cannot be read raises DataError,
        or is left out when `on_bad` takes its number and the error; that happens before the next image's result. What
        ends `images` with an SSDError is raised after the results of those before. Without `selection` it is what
        `selection()` gives.
        """
        wanted = self.selection() if selection is None else selection
        ready: list[_Ready] = []
        skipped: list[tuple[int, SSDError]] = []
        reads = ordered_map(self._read, zip(count(), images), ahead=AHEAD * batch_size)
        fault: SSDError | None = None
        with closing(reads):
            while fault is None:
                try:
                    read = next(reads, None)
                    if isinstance(read, tuple) and on_bad is None:
                        raise read[1]
                except SSDError as error:  # of a video that breaks off, after the frames before
                    fault, read = error, None
                if isinstance(read, _Ready):
                    ready.append(read)
                elif read is not None:
                    skipped.append(read)
                if read is None or len(ready) == batch_size:
                    yield from self._results(ready, wanted, skipped, on_bad)
                    ready, skipped = [], []
                if read is None:
                    break
        if fault is not None:
            raise fault

    def _read(self, numbered: tuple[int, ImageLike]) -> "_Ready | tuple[int, SSDError]":
        number, image = numbered
        try:
            pixels = _pixels(image)
            return _Ready(number, image, pixels, self.network.prepare(pixels))
        except DataError as error:
            where = error.where or _place(image)["image"] or None
            return number, type(error)(error.what, where=where, fix=error.fix)
        except DownloadError as error:
            return number, error

    def _results(
        self,
        ready: "list[_Ready]",
        selection: Selection,
        skipped: list[tuple[int, SSDError]],
        on_bad: Callable[[int, SSDError], None] | None,
    ) -> Iterator[Result]:
        predictions = self.network.predict([one.prepared for one in ready], selection) if ready else None
        results = iter(self.network.select(predictions, selection) if ready else [])
        events: list[_Ready | tuple[int, SSDError]] = sorted([*ready, *skipped], key=_number)
        for event in events:
            if isinstance(event, _Ready):
                scaled = next(results).scaled((event.pixels.shape[0], event.pixels.shape[1]))
                yield Result(**vars(scaled), pixels=event.pixels, **_place(event.image))
            elif on_bad is not None:
                on_bad(*event)

    def detect(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], selection: Selection) -> list[Detections]:
        """Detections relative to each image, of one batch."""
        return detect(self.network, images, selection)


@dataclass(frozen=True, eq=False)
class _Ready:
    number: int
    image: ImageLike
    pixels: np.ndarray
    prepared: Any


def is_exported(weights: str | Path) -> bool:
    """Whether it is a file for another runtime than torch, by its ending."""
    return Path(weights).suffix.lower() in EXPORTED


def load_network(weights: str | Path, *, device: str = "cpu", precision: TorchPrecision = "float32") -> Network:
    """As `Detector.load`."""
    if is_exported(weights):
        from ssd300.runtime import load_exported

        return load_exported(Path(weights))
    import torch

    from ssd300.detection.torch_network import TorchNetwork
    from ssd300.weights import load_weights

    model, card = load_weights(weights)
    return TorchNetwork(model, card, device=torch.device(device), precision=getattr(torch, precision))


def _number(event: "_Ready | tuple[int, SSDError]") -> int:
    return event.number if isinstance(event, _Ready) else event[0]


def _place(image: ImageLike) -> dict[str, Any]:
    """Where an image is from, as a Result says it."""
    if isinstance(image, Frame):
        return {"image": image.source, "frame": image.number, "time_s": image.time_s}
    return {"image": str(image) if isinstance(image, (str, Path)) else ""}


def _pixels(image: ImageLike) -> UInt8[np.ndarray, "h w 3"]:
    if isinstance(image, Frame):
        return image.pixels
    if isinstance(image, str) and is_address(image):
        return decode_image(read_web(image), where=image)
    if isinstance(image, (str, Path)):
        return read_image(Path(image))
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"the array has shape {image.shape} and type {image.dtype}; images are RGB, (height, width, 3), uint8"
        )
    return image
