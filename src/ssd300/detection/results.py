"""The detections of one image, and the formats that they can be written in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.data.predictions.jsonl import detection_row, image_row
from ssd300.system.wording import on_one_line
from ssd300.types import Detections

NOTEBOOK_SIDE_PX = 800
Found = TypeVar("Found", bound="ImageDetections")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImageDetections(Detections):
    """Detections in pixels of the original image. `image` is its path, "" where it has none; `size_hw` its size.

    For a frame of a video `image` is the video's path, `frame` counts from 0, and `time_s` is since the first frame.
    `notes` tell what was done with the image that may not be expected, such as '1 of 5 pages or frames is used'.
    `tracks` has the number of each detection's track (see `tracking`), None for one without; None without tracking.
    """

    image: str
    size_hw: tuple[int, int]
    frame: int | None = None
    time_s: float | None = None
    notes: tuple[str, ...] = ()
    tracks: tuple[int | None, ...] | None = None

    def __repr__(self) -> str:
        """Such as '2 detections on dog.jpg: dog 0.98, cat 0.51'."""
        frame = "" if self.frame is None else f", frame {self.frame:,}"
        return self._describe(f" on {PurePath(self.image).name}{frame}" if self.image else "")

    def select(self: Found, keep: Sequence[bool]) -> Found:
        """A copy with the rows where `keep`, one value per row, is true."""
        chosen = super().select(keep)
        tracks = None if self.tracks is None else tuple(compress(self.tracks, keep))
        return replace(chosen, tracks=tracks)

    def captions(self, names: Sequence[str]) -> list[str]:
        """What is drawn beside each box: its name, of `names`, track and score, such as 'dog 3 0.91'."""
        if self.tracks is None:
            return super().captions(names)
        rows = zip(names, self.tracks, self.scores.tolist(), strict=True)
        return [
            f"{name} {score:.2f}" if track is None else f"{name} {track} {score:.2f}" for name, track, score in rows
        ]

    def to_voc_xml(self) -> str:
        """The text of a VOC annotation file, with the score of each object, which VOC itself does not have."""
        from ssd300.data.formats.voc_xml import to_xml

        objects = [(name, box, False, False) for name, box in zip(self.names, self.boxes.tolist(), strict=True)]
        path = Path(self.image)
        name = path.name if self.frame is None else f"{frame_name(path.stem, self.frame)}.jpg"
        xml: str = to_xml(on_one_line(name), self.size_hw, objects, scores=self.scores.tolist())
        return xml

    def to_coco(self, image_id: int | str | None = None) -> list[dict[str, Any]]:
        """Rows of COCO results: boxes as left, top, width, height in pixels; categories as `category_ids` numbers them.

        `image_id` is the image's id in the annotations; without it, the name of its file without the ending, as a
        number if it is one, as in COCO's own images.
        """
        from ssd300.data.formats.coco_rows import category_ids, image_ids, result_row

        image = image_ids([Path(self.image).stem])[0] if image_id is None else image_id
        categories = category_ids(self.classes)
        return [result_row(image, categories[label], box, score) for label, score, box in self._rows()]

    def to_supervision(self) -> Any:
        """The detections as supervision's `Detections`, class names under `class_name`; `tracker_id` is -1 without one.

        Raises ImportError where supervision is not installed.
        """
        try:
            import supervision
        except ImportError as error:
            raise ImportError("to_supervision() needs supervision: pip install supervision") from error

        return supervision.Detections(
            xyxy=self.boxes.astype(np.float32),
            confidence=self.scores.astype(np.float32),
            class_id=self.labels.astype(int),
            data={"class_name": np.array(self.names, dtype=object)},
            tracker_id=None if self.tracks is None else np.array([track or -1 for track in self.tracks], dtype=int),
        )

    def to_dict(self) -> dict[str, Any]:
        """The row of `detections.jsonl`; boxes are 0-based half-open pixels. A frame has `frame` and `time_s` too, an
        image with notes `notes`, and with tracking each detection `track`.
        """
        place: dict[str, Any] = {} if self.frame is None else {"frame": self.frame, "time_s": self.time_s}
        if self.notes:
            place["notes"] = list(self.notes)
        rows = [detection_row(self.classes[label], label, score, box) for label, score, box in self._rows()]
        if self.tracks is not None:
            rows = [{**row, "track": track} for row, track in zip(rows, self.tracks, strict=True)]
        return image_row(self.image, self.size_hw, rows, **place)

    def to_yolo(self, *, scores: bool = True) -> str:
        """The text of a YOLO label file: a line per detection, the last column its score unless `scores` is false."""
        from ssd300.data.formats.yolo import to_line

        return "".join(
            to_line(label, box, self.size_hw, score=score if scores else None) for label, score, box in self._rows()
        )

    def _rows(self) -> Iterator[tuple[int, float, list[float]]]:
        return zip(self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(ImageDetections):
    """Detections with the image's `pixels` (RGB), so that they can be drawn; `size_hw` is taken from them."""

    size_hw: tuple[int, int] = field(init=False)
    pixels: UInt8[np.ndarray, "h w 3"]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size_hw", self.pixels.shape[:2])

    def without_pixels(self) -> ImageDetections:
        """The detections without the pixels, which need much memory."""
        return ImageDetections(**{name: value for name, value in vars(self).items() if name != "pixels"})

    def draw(self) -> Image.Image:
        """Boxes, names and scores on a copy of the image."""
        from ssd300.images.draw import draw_detections

        drawn: Image.Image = draw_detections(self.pixels, self)
        return drawn

    def _repr_png_(self) -> bytes:
        """The drawn image, for notebooks; a large one is made smaller first, so that its labels can be read."""
        from ssd300.images.encode import encoded

        content: bytes = encoded(self._reduced(NOTEBOOK_SIDE_PX).draw(), "PNG")
        return content

    def _reduced(self, most_px: int) -> "Result":
        """The same detections on an image whose longer side is at most `most_px`."""
        scale = most_px / max(self.size_hw)
        if scale >= 1:
            return self
        height, width = (max(round(side * scale), 1) for side in self.size_hw)
        pixels = np.asarray(Image.fromarray(self.pixels).resize((width, height), Image.Resampling.LANCZOS))
        return replace(self, pixels=pixels, boxes=self.boxes * np.float32(scale))


def frame_name(video: str, frame: int) -> str:
    """The name, without an ending, of the files of one frame, which counts from 0; `video` is the name of its video."""
    return f"{video}_{frame:06d}"
