"""From uploaded files to detections: decoded in a few threads, then in batches with the images of other requests.

Knows no HTTP. Pixels are freed as soon as the input of the network is made, so that what waits is small.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ssd300.detection.detector import DISPLAY, Detector
from ssd300.detection.network import Prepared, prepare
from ssd300.detection.outputs import JPEG_QUALITY
from ssd300.detection.results import ImageDetections, Result
from ssd300.images.encode import encoded
from ssd300.images.read import decode
from ssd300.images.rgb import DecodedImage
from ssd300.serve.accepting import ImageFormat
from ssd300.serve.batcher import Batcher
from ssd300.types import Selection

MOST_READERS = 4  # threads for decoding; the network needs the cores too
NEVER = 1.0  # no score is above it, so a class with this threshold has no detections


@dataclass(frozen=True, kw_only=True, eq=False)
class UploadedImage:
    """The content of a file that a client sent, and its name, "" for none."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageAnswer:
    """The detections of one image, the seconds of each stage, and the size of the batch that it was in."""

    detections: ImageDetections
    seconds: dict[str, float]
    batch_size: int


class Service:
    """A detector for many requests. `max_pixels` is of one image, `batch_size` and `queue` as for the Batcher."""

    def __init__(self, detector: Detector, *, batch_size: int, queue: int, max_pixels: int) -> None:
        self.detector = detector
        self.batcher = Batcher(detector.network, batch_size=batch_size, queue=queue)
        self._max_pixels = max_pixels
        self._readers = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_READERS), thread_name_prefix="reader")

    def selection(
        self,
        *,
        min_score: float | None = None,
        max_overlap: float = DISPLAY.max_overlap,
        top_k: int = DISPLAY.top_k,
        classes: Sequence[str] = (),
    ) -> Selection:
        """What counts as a detection, as of `Detector.selection`; if `classes` are named, only those.

        Raises:
            ValueError: a value is out of its range, or there is no such class.
        """
        known = self.detector.card.classes
        if unknown := [name for name in classes if name not in known]:
            raise ValueError(f"there is no class '{unknown[0]}'; there are {', '.join(known)}")
        unwanted = {name: NEVER for name in known if classes and name not in classes}
        return self.detector.selection(min_score, max_overlap=max_overlap, top_k=top_k, min_score_of=unwanted)

    async def detect(self, images: Sequence[UploadedImage], selection: Selection) -> list[ImageAnswer]:
        """The answer for each image, in their order.

        Raises:
            DataError: one of them is not an image, broken or too large; there is no answer for the others then.
            UsageError: an exported file cannot give as many detections.
            FullError: the service is closed.
        """
        tasks = [asyncio.ensure_future(self._detect(image, selection)) for image in images]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            raise

    async def draw(self, image: UploadedImage, found: ImageDetections, file_format: ImageFormat) -> bytes:
        """The image with boxes, names and scores, as the content of a file. Raises DataError as `detect` does."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._draw, image, found, file_format)

    def warm_up(self) -> None:
        """Run the network once, as its first run is the slowest."""
        gray = np.full((64, 64, 3), 127, np.uint8)
        self.batcher.submit(prepare(self.detector.network, gray), self.selection()).result()

    def close(self) -> None:
        """Answer the accepted images, and end the threads."""
        self.batcher.close()
        self._readers.shutdown()

    async def _detect(self, image: UploadedImage, selection: Selection) -> ImageAnswer:
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        prepared, notes, decoding_s = await loop.run_in_executor(self._readers, self._read, image)
        read = time.monotonic()
        answer = await asyncio.wrap_future(self.batcher.submit(prepared, selection))
        return ImageAnswer(
            detections=ImageDetections(
                **vars(answer.detections), image=image.name, size_hw=prepared.size_hw, notes=notes
            ),
            seconds={
                "decode": decoding_s,
                "wait": read - started - decoding_s + answer.waited_s,
                "network": answer.network_s,
                "select": answer.select_s,
            },
            batch_size=answer.batch_size,
        )

    def _read(self, image: UploadedImage) -> tuple[Prepared, tuple[str, ...], float]:
        started = time.monotonic()
        pixels, notes = self._decoded(image)
        prepared = prepare(self.detector.network, pixels)
        return prepared, notes, time.monotonic() - started

    def _draw(self, image: UploadedImage, found: ImageDetections, file_format: ImageFormat) -> bytes:
        fields = {name: value for name, value in vars(found).items() if name != "size_hw"}
        drawn = Result(**fields, pixels=self._decoded(image).pixels).draw()
        return encoded(drawn, file_format, quality=JPEG_QUALITY)

    def _decoded(self, image: UploadedImage) -> DecodedImage:
        return decode(image.content, where=image.name or "the image", max_pixels=self._max_pixels)
