"""In which frame is a box? Every annotation is compared with its image: the size, and the side that is up.

The pixels decide. Cameras store an image on its side and say in its EXIF data how to turn it; viewers and this program
show it turned ("shown"), some tools annotate it as it is stored. Boxes of the stored frame are turned with the image.
What cannot be settled is a fault of the image.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedObject, Corners
from ssd300.data.formats.file_index import is_there
from ssd300.data.problems import Fault
from ssd300.errors import DataError
from ssd300.images.header import FIRST_TURNED, LAST_TURNED, UPRIGHT, ImageHeader, read_header

Frame = Literal["shown", "stored"]
Size = tuple[int, int]

BORDER_SLACK_PX = 1.0  # a box may reach this far outside of its image and is cut
ROUNDING_PX = 1e-3  # what is cut without a remark
THIN_PX = 1.0


def settle(
    images: Sequence[AnnotatedImage], others: Callable[[], Sequence[AnnotatedImage]] = lambda: ()
) -> list[AnnotatedImage]:
    """The images with the sizes of their pixels and all boxes in the frame that is shown, in pixels; bad boxes and
    images that cannot be settled have a fault. An image that is not there keeps the size of its annotation.

    Headers are read in parallel; nothing is decoded. `others` are further images of the dataset, read where a turned
    image cannot be settled by itself: how they were annotated is evidence.
    """
    headers = _headers(images)
    usual = _usual_frame(images, headers)
    if usual is None and any(_is_undecided(image, header) for image, header in zip(images, headers, strict=True)):
        all_images = [*images, *others()]
        usual = _usual_frame(all_images, _headers(all_images))
    return [_settle(image, header, usual) for image, header in zip(images, headers, strict=True)]


def frame_of(image: AnnotatedImage, header: ImageHeader) -> Frame | None:
    """The frame of an image's boxes by itself, without the others of its dataset; None where nothing tells it."""
    return "shown" if header.orientation == UPRIGHT else _frame(image, header, usual=None)


def turn_back(box: Corners, orientation: int, stored_hw: Size) -> Corners:
    """The inverse of `turn`: a box of the image as it is shown, in the stored image."""
    shown_hw = stored_hw[::-1] if FIRST_TURNED <= orientation <= LAST_TURNED else stored_hw
    return turn(box, {6: 8, 8: 6}.get(orientation, orientation), shown_hw)


def turn(box: Corners, orientation: int, stored_hw: Size) -> Corners:
    """A box of the stored image, xyxy, in the image as it is shown: EXIF's orientations 1 to 8."""
    height, width = stored_hw
    x1, y1, x2, y2 = box
    turned: Mapping[int, Corners] = {
        1: (x1, y1, x2, y2),
        2: (width - x2, y1, width - x1, y2),
        3: (width - x2, height - y2, width - x1, height - y1),
        4: (x1, height - y2, x2, height - y1),
        5: (y1, x1, y2, x2),
        6: (height - y2, x1, height - y1, x2),
        7: (height - y2, width - x2, height - y1, width - x1),
        8: (y1, width - x2, y2, width - x1),
    }
    return turned[orientation]


def _headers(images: Sequence[AnnotatedImage]) -> list[ImageHeader | DataError | None]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_header, images))


def _is_undecided(image: AnnotatedImage, header: ImageHeader | DataError | None) -> bool:
    """Whether nothing about the image itself says for which side up its boxes are."""
    return (
        isinstance(header, ImageHeader)
        and header.orientation != UPRIGHT
        and bool(image.objects)
        and _frame(image, header, usual=None) is None
    )


def _header(image: AnnotatedImage) -> ImageHeader | DataError | None:
    """None for an image that is not there, an error for one that cannot be read."""
    if image.image_path is None or not is_there(image.image_path):
        return None
    try:
        return read_header(image.image_path)
    except DataError as error:
        return error


def _usual_frame(images: Sequence[AnnotatedImage], headers: Sequence[ImageHeader | DataError | None]) -> Frame | None:
    """The frame of all turned images whose annotation has a size that tells; None if they differ, or none tells."""
    frames = {
        frame
        for image, header in zip(images, headers, strict=True)
        if isinstance(header, ImageHeader) and (frame := _frame_by_size(image.size_hw, header)) is not None
    }
    return next(iter(frames)) if len(frames) == 1 else None


def _frame_by_size(size_hw: Size | None, header: ImageHeader) -> Frame | None:
    """None where both frames have the same size, or the annotation has neither's."""
    if header.size_hw == header.stored_hw:
        return None
    if size_hw == header.size_hw:
        return "shown"
    return "stored" if size_hw == header.stored_hw else None


def _settle(image: AnnotatedImage, header: ImageHeader | DataError | None, usual: Frame | None) -> AnnotatedImage:
    if image.fault is not None:
        return image
    if not isinstance(header, ImageHeader):
        return _without_pixels(image, header)
    fault = _size_fault(image.size_hw, header)
    if fault is not None:
        return replace(image, size_hw=header.size_hw, fault=fault)
    remarks = image.remarks
    if image.has_size and image.size_hw is None:
        remarks += (Fault("no-size", f"the annotation has no size; the image's is {_words(header.size_hw)}"),)
    turned = header.orientation != UPRIGHT and bool(image.objects)
    frame = _frame(image, header, usual) if turned else "shown"
    if frame is None:
        return replace(image, size_hw=header.size_hw, fault=_undecided(header))
    if turned and (how := _how_turned(image, frame, header)) is not None:
        remarks += (how,)
    objects = [_in_pixels(item, image, header, frame) for item in image.objects]
    objects = _marked_twice([_checked(item, header.size_hw) for item in objects])
    return replace(
        image, size_hw=header.size_hw, objects=tuple(objects), remarks=remarks, relative=False, has_size=True
    )


def _without_pixels(image: AnnotatedImage, error: DataError | None) -> AnnotatedImage:
    """An image that is not there, or that cannot be read, which is noted: it is an error where it is decoded. Without a
    size relative boxes cannot be used.
    """
    if not image.relative:
        objects = [_checked(item, image.size_hw) for item in image.objects]
        unreadable = () if error is None else (Fault("image", error.what, error.fix or ""),)
        return replace(image, objects=tuple(_marked_twice(objects)), remarks=(*image.remarks, *unreadable))
    if not image.objects:
        return replace(image, relative=False)
    if image.image_path is None:  # reported as missing
        return image
    rule, why = ("missing-image", "the image is missing") if error is None else ("image", error.what)
    return replace(image, fault=Fault(rule, f"{why}, so its boxes have no size"))


def _size_fault(size_hw: Size | None, header: ImageHeader) -> Fault | None:
    if size_hw is None or size_hw in (header.size_hw, header.stored_hw):
        return None
    what = f"the annotation is for {_words(size_hw)} pixels, the image has {_words(header.size_hw)}"
    if size_hw == header.size_hw[::-1]:
        what += "; width and height are swapped, or the image was turned after it was annotated"
    return Fault("size", what)


def _frame(image: AnnotatedImage, header: ImageHeader, usual: Frame | None) -> Frame | None:
    """The frame of the boxes of a turned image: by the size in the annotation; else by which one holds the boxes, or as
    in the other images; formats without sizes have the frame that is shown.
    """
    if not image.has_size:
        return "shown"
    by_size = _frame_by_size(image.size_hw, header)
    if by_size is not None:
        return by_size
    fits = [frame for frame, size in (("shown", header.size_hw), ("stored", header.stored_hw)) if _holds(size, image)]
    if len(fits) == 1:
        return "shown" if fits == ["shown"] else "stored"
    return usual


def _holds(size_hw: Size, image: AnnotatedImage) -> bool:
    boxes = (item.box_px for item in image.objects if all(map(math.isfinite, item.box_px)))
    return all(_outside(box, size_hw) <= BORDER_SLACK_PX for box in boxes)


def _undecided(header: ImageHeader) -> Fault:
    return Fault(
        "rotated",
        f"its EXIF data turns the image (orientation {header.orientation}), and the boxes fit it both as it is stored "
        "and as it is shown",
    )


def _how_turned(image: AnnotatedImage, frame: Frame, header: ImageHeader) -> Fault | None:
    """A remark where the boxes were turned, or where the format cannot tell."""
    what = f"its EXIF data turns the image (orientation {header.orientation})"
    if not image.has_size:
        return Fault("turned-without-size", f"{what}, and nothing says for which side up its boxes are")
    if frame == "stored":
        return Fault("turned-boxes", f"{what}; its boxes are for the stored pixels ({_words(header.stored_hw)})")
    return None


def _in_pixels(item: AnnotatedObject, image: AnnotatedImage, header: ImageHeader, frame: Frame) -> AnnotatedObject:
    box = item.box_px
    if image.relative:
        height, width = header.size_hw
        box = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    if frame == "stored":
        return replace(item, box_px=turn(box, header.orientation, header.stored_hw), written=item.written or box)
    return replace(item, box_px=box)


def _checked(item: AnnotatedObject, size_hw: Size | None) -> AnnotatedObject:
    """The object with its box cut at the border, or with a fault; and remarks on a thin or cut box."""
    if item.fault is not None:
        return item
    written = item.written or item.box_px
    fault = box_fault(item.box_px, size_hw, written)
    if fault is not None:
        return replace(item, fault=fault)
    box, remarks = item.box_px, item.remarks
    if size_hw is not None:
        if _outside(box, size_hw) > ROUNDING_PX and not any(remark.rule == "counted-from-0" for remark in remarks):
            remarks += (
                Fault("cut-box", f"the box ({_numbers(written)}) reached out of the image by less than a pixel"),
            )
        box = cut_at_border(box, size_hw)
        if box[2] <= box[0] or box[3] <= box[1]:
            return replace(item, fault=Fault("box", f"the box ({_numbers(written)}) lies outside of the image"))
    if min(box[2] - box[0], box[3] - box[1]) <= THIN_PX:
        what = f"the box ({_numbers(written)}) is one pixel wide or high, or less"
        if 0 < max(written) <= THIN_PX and not all(value.is_integer() for value in map(float, written)):
            what += "; are its numbers shares of the image, not pixels?"
        remarks += (Fault("one-pixel-box", what),)
    return replace(item, box_px=box, remarks=remarks)


def _marked_twice(objects: Sequence[AnnotatedObject]) -> list[AnnotatedObject]:
    """The objects, those after the first of the same class and box with a remark."""
    seen: Counter[tuple[str, Corners]] = Counter()
    marked = []
    for item in objects:
        key = (item.name, item.box_px)
        if seen[key] and item.fault is None:
            twice = Fault("duplicate-object", "the same class and box is listed before")
            item = replace(item, remarks=(*item.remarks, twice))
        seen[key] += 1
        marked.append(item)
    return marked


def box_fault(box_px: Corners, size_hw: Size | None, written: Corners) -> Fault | None:
    """What is wrong with a box, with the numbers that are in its file (`written`); None for a good one."""
    values = _numbers(written)
    if not all(math.isfinite(corner) for corner in box_px):
        return Fault("box", f"the box ({values}) has a corner that is missing or not a number")
    if box_px[2] < box_px[0] or box_px[3] < box_px[1]:
        return Fault("box", f"the box ({values}) is inverted")
    if box_px[2] == box_px[0] or box_px[3] == box_px[1]:
        return Fault("box", f"the box ({values}) is empty")
    if size_hw is not None and _outside(box_px, size_hw) > BORDER_SLACK_PX:
        return Fault("box", f"the box ({values}) reaches out of the image of {_words(size_hw)}")
    return None


def cut_at_border(box_px: Corners, size_hw: Size) -> Corners:
    height, width = size_hw
    return (max(box_px[0], 0.0), max(box_px[1], 0.0), min(box_px[2], float(width)), min(box_px[3], float(height)))


def _outside(box_px: Corners, size_hw: Size) -> float:
    """How far the box reaches out of the image, at most; negative inside."""
    height, width = size_hw
    return max(-box_px[0], -box_px[1], box_px[2] - width, box_px[3] - height)


def _words(size_hw: Size) -> str:
    return f"{size_hw[1]} x {size_hw[0]}"


def _numbers(corners: Corners) -> str:
    return ", ".join(f"{corner:g}" for corner in corners)
