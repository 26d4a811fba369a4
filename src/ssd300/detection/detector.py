"""The detector: images in, detections in pixels of the original images out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ssd300.detection.backends import TorchPrecision, load_network
from ssd300.detection.contents import Content
from ssd300.detection.defaults import BATCH, MAX_OVERLAP, MIN_SCORE, TOP_K
from ssd300.detection.network import Network, Prepared, detect_batch, prepare
from ssd300.detection.results import Result
from ssd300.detection.tiles import TiledNetwork
from ssd300.detection.video import Frame
from ssd300.errors import DataError, DownloadError, SSDError, as_text
from ssd300.images.given import Given, image_of
from ssd300.images.read import decode, decode_file
from ssd300.images.rgb import DecodedImage
from ssd300.system.threads import ordered_map
from ssd300.system.web import is_address, read_web
from ssd300.types import Selection

DISPLAY = Selection(min_score=MIN_SCORE, max_overlap=MAX_OVERLAP, top_k=TOP_K)
AHEAD = 2
ImageLike = str | PathLike[str] | Given | Frame | Content


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
        device: str = "auto",
        precision: TorchPrecision | None = None,
        tile_px: int | None = None,
    ) -> "Detector":
        """From a run folder, a weights file, a name of published weights, or an exported .onnx or .xml file.

        `device` is 'auto', which takes a GPU if there is one, or torch's name of a device; `precision` is torch's. An
        exported file runs on the CPU in the precision of its export. With
        `tile_px` detection also runs on tiles of the image whose sides have that many pixels (`tiles`).

        Raises:
            WeightsError: there are no such weights, or they are damaged or of another format.
            UsageError: the library that runs an exported file is missing, or does not have this device or precision.
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
        """The Result of a path or address, PIL image, array, content of a file, open file or frame; a list of them
        gives a list of Results. `images/given` says what arrays may be.

        `min_score`, `max_overlap` and `top_k` are as in `selection`.

        Raises:
            DataError: an image cannot be read.
            DownloadError: an address cannot be fetched.
            ValueError: an array or object is not an image, or a value is out of its range.
        """
        selection = self.selection(min_score, max_overlap=max_overlap, top_k=top_k)
        if isinstance(images, (list, tuple)):
            return list(self.stream(images, selection))
        return next(self.stream([images], selection, batch_size=1))  # type: ignore[list-item]  # not a sequence here

    def selection(
        self,
        min_score: float | None = None,
        *,
        max_overlap: float = DISPLAY.max_overlap,
        top_k: int = DISPLAY.top_k,
        min_score_of: Mapping[str, float] | None = None,
    ) -> Selection:
        """What counts as a detection. Without `min_score`, the thresholds in the weights, or else MIN_SCORE.

        `min_score_of` are thresholds of single classes; they replace those.

        Raises:
            ValueError: a value is out of its range, or a class of `min_score_of` is unknown.
        """
        own = dict(self.card.min_scores) if min_score is None else {}
        own |= min_score_of or {}
        if unknown := [name for name in own if name not in self.card.classes]:
            raise ValueError(f"there is no class '{unknown[0]}'; there are {', '.join(self.card.classes)}")
        usual = MIN_SCORE if min_score is None else min_score
        scores = tuple(own.get(name, usual) for name in self.card.classes) if own else usual
        return Selection(min_score=scores, max_overlap=max_overlap, top_k=top_k)

    def stream(
        self,
        images: Iterable[ImageLike],
        selection: Selection | None = None,
        *,
        batch_size: int = BATCH,
        on_bad: Callable[[int, SSDError], None] | None = None,
    ) -> Iterator[Result]:
        """The Results in the order of the images.

        The error of an image that cannot be read, DataError or DownloadError, is raised; with `on_bad` the image is
        skipped, and `on_bad` gets its number and the error before the next result. The rest is as in `outcomes`.
        """
        for number, outcome in self.outcomes(images, selection, batch_size=batch_size):
            if isinstance(outcome, Result):
                yield outcome
            elif on_bad is None:
                raise outcome
            else:
                on_bad(number, outcome)

    def outcomes(
        self, images: Iterable[ImageLike], selection: Selection | None = None, *, batch_size: int = BATCH
    ) -> Iterator[tuple[int, Result | SSDError]]:
        """The number of each image, from 0, with its Result, or with the error that explains why it cannot be read.

        Images are read in other threads while the network runs; `AHEAD` batches are prepared ahead. An SSDError of
        `images` itself, as of a video that breaks off, is raised after the outcomes before it. Without `selection`:
        `self.selection()`.
        """
        wanted = self.selection() if selection is None else selection
        with closing(ordered_map(self._read, enumerate(images), ahead=AHEAD * batch_size)) as reads:
            for group in _groups(reads, batch_size):
                yield from self._detect(group, wanted)

    def _read(self, numbered: tuple[int, ImageLike]) -> "_Read":
        number, image = numbered
        try:
            pixels, notes = _decoded(image)
            return _Read(number, image, pixels, prepare(self.network, pixels), notes=notes)
        except DataError as error:
            where = error.where or _origin(image)["image"] or None
            return _Read(number, image, error=type(error)(error.what, where=where, fix=error.fix))
        except DownloadError as error:
            return _Read(number, image, error=error)

    def _detect(self, group: "Sequence[_Read]", selection: Selection) -> Iterator[tuple[int, Result | SSDError]]:
        prepared = [read.prepared for read in group if read.prepared is not None]
        found = iter(detect_batch(self.network, prepared, selection).detections if prepared else [])
        for read in group:
            if read.error is not None:
                yield read.number, read.error
            else:
                origin = _origin(read.image)
                yield read.number, Result(**vars(next(found)), pixels=read.pixels, notes=read.notes, **origin)


@dataclass(frozen=True, eq=False)
class _Read:
    """An image that was read and prepared, or the error that explains why it could not be read."""

    number: int
    image: ImageLike
    pixels: Any = None
    prepared: Prepared | None = None
    error: SSDError | None = None
    notes: tuple[str, ...] = ()


def _groups(reads: Iterable[_Read], size: int) -> Iterator[list[_Read]]:
    """Groups of up to `size` readable images, with the unreadable ones between them; then the error of `reads`."""
    group: list[_Read] = []
    fault: SSDError | None = None
    try:
        for read in reads:
            group.append(read)
            if sum(one.error is None for one in group) == size:
                yield group
                group = []
    except SSDError as error:
        fault = error
    if group:
        yield group
    if fault is not None:
        raise fault


def _origin(image: ImageLike) -> dict[str, Any]:
    """The fields of a Result that tell where its image is from."""
    if isinstance(image, Frame):
        return {"image": as_text(image.source), "frame": image.number, "time_s": image.time_s}
    return {"image": as_text(image) if isinstance(image, (str, PathLike, Content)) else ""}


def _decoded(image: ImageLike) -> DecodedImage:
    if isinstance(image, Frame):
        return DecodedImage(image.pixels)
    if isinstance(image, str) and is_address(image):
        return decode(read_web(image), where=image)
    if isinstance(image, (str, PathLike)):
        return decode_file(Path(image))
    if isinstance(image, Content):
        return decode(image.read(), where=image.name)
    return image_of(image)
