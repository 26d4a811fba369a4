"""An annotation and its image together, as a `Sample`. No torch here: evaluation of exported files uses this."""

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import DataError
from ssd300.images.read import decode_image, read_image
from ssd300.system.stores import as_place
from ssd300.types import Annotation, Sample


def read_sample(annotation: Annotation) -> Sample:
    """Decode the image of an annotation. Raises DataError that names the file if it cannot be read."""
    return as_sample(annotation, read_pixels(annotation))


def read_pixels(annotation: Annotation) -> UInt8[np.ndarray, "h w 3"]:
    """As `read_image`, of the image of an annotation, also of one in a shard."""
    if annotation.content is None:
        return read_image(annotation.image_path)
    return decode_image(annotation.content(), where=as_place(annotation.image_path))


def as_sample(annotation: Annotation, image: UInt8[np.ndarray, "h w 3"]) -> Sample:
    """An annotation with the pixels of its image. Raises DataError if they have another size than the annotation."""
    if annotation.size_hw not in (None, image.shape[:2]):
        height, width = annotation.size_hw or (0, 0)
        raise DataError(
            f"the annotation is for {width} x {height} pixels, the image has {image.shape[1]} x {image.shape[0]}",
            where=annotation.image_path,
            fix="If the file was changed since the data was read, read the data again.",
        )
    return Sample(
        image=image,
        boxes_px=annotation.boxes_px,
        labels=annotation.labels,
        difficult=annotation.difficult,
        image_id=annotation.image_id,
        size_hw=(image.shape[0], image.shape[1]),
    )
