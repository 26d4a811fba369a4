"""From boxes as they are shown to boxes as a file has them: some tools annotate the image as a camera stored it."""

from collections.abc import Callable

from ssd300.data.formats.annotations import AnnotatedImage, Corners
from ssd300.data.frames import frame_of, turn_back
from ssd300.images.header import ImageHeader


def to_file_frame(image: AnnotatedImage, header: ImageHeader) -> Callable[[Corners], Corners]:
    """What turns a box of the image as it is shown into one of the frame that the image's file of labels has."""
    if frame_of(image, header) != "stored":
        return lambda box_px: box_px
    return lambda box_px: turn_back(box_px, header.orientation, header.stored_hw)
