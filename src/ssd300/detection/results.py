"""What detection answers for one image, and the forms that it can be turned into."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.types import Detections


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDetections(Detections):
    """Detections in pixels of the original image. `image` is its path, "" where it has none; `size_hw` its size.

    Of a video `image` is its path, `frame` counts its frames from 0, and `time_s` is where that one stands in it.
    """

    image: str
    size_hw: tuple[int, int]
    frame: int | None = None
    time_s: float | None = None

    def to_voc_xml(self) -> str:
        """A file of VOC's annotations, with the score of each object, as labelImg, CVAT and Label Studio open it."""
        from ssd300.data.formats.voc_xml import to_xml

        objects = [(name, box, False, False) for name, box in zip(self.names, self.boxes.tolist(), strict=True)]
        path = Path(self.image)
        name = path.name if self.frame is None else f"{frame_name(path.stem, self.frame)}.jpg"
        xml: str = to_xml(name, self.size_hw, objects, scores=self.scores.tolist())
        return xml

    def to_coco(self, image_id: int | str | None = None) -> list[dict[str, Any]]:
        """Rows of COCO results: boxes as left, top, width, height in pixels; categories count from 1.

        `image_id` is this image's among the annotations; left out, its file's name without the ending.
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
        try:
            import supervision
        except ImportError as error:
            raise ImportError("to_supervision() needs supervision: pip install supervision") from error

        return supervision.Detections(
            xyxy=self.boxes.astype(np.float32),
            confidence=self.scores.astype(np.float32),
            class_id=self.labels.astype(int),
            data={"class_name": np.array(self.names, dtype=object)},
        )

    def to_dict(self) -> dict[str, Any]:
        """One line of `detections.jsonl`; boxes are 0-based half-open pixels. Of a video with `frame` and `time_s`."""
        place = {} if self.frame is None else {"frame": self.frame, "time_s": self.time_s}
        height, width = self.size_hw
        rows = zip(self.names, self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True)
        return {
            "image": self.image,
            **place,
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(ImageDetections):
    """The same with the image, so that they can be drawn; its size is that of `pixels`."""

    size_hw: tuple[int, int] = field(init=False)
    pixels: UInt8[np.ndarray, "h w 3"] = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size_hw", self.pixels.shape[:2])

    def without_pixels(self) -> ImageDetections:
        """The same detections without the image, to keep many."""
        return ImageDetections(**{name: value for name, value in vars(self).items() if name != "pixels"})

    def draw(self) -> Image.Image:
        """Boxes, names and scores on a copy of the image."""
        from ssd300.images.draw import draw_detections

        drawn: Image.Image = draw_detections(self.pixels, self)
        return drawn


def frame_name(video: str, frame: int) -> str:
    """The name, without an ending, of the files of one frame; frames count from 0."""
    return f"{video}_{frame:06d}"
