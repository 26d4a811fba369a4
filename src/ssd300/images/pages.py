"""How many pages or frames an image has, of which one is used."""

from collections.abc import Sequence

from PIL import Image

from ssd300.system.wording import counted

NOTED = 3  # images that a note names


def page_count(image: Image.Image) -> int:
    """The pages or frames of an opened image; 1 for one that cannot say, for which reading raises.

    Sizes of one icon are no pages. Nor are the smaller images behind a camera's JPEG (MPO): previews, and maps of depth
    or brightness. Those of the first one's size are, as the view of a second lens is.
    """
    if image.format == "ICO":
        return 1
    current = 0
    try:
        count = int(getattr(image, "n_frames", 1))
        if image.format != "MPO" or count == 1:
            return count
        current = image.tell()
        return sum(_size_of(image, number) == _size_of(image, 0) for number in range(count))
    except Exception:  # Pillow's readers raise many kinds; the fault is reported where the image is read
        return 1
    finally:
        if image.format == "MPO":
            image.seek(current)


def page_note(taken: int, count: int) -> str:
    """The note on an image of several pages, such as '1 of 5 pages or frames is used'; `taken` counts from 1."""
    return f"{taken} of {count} pages or frames is used"


def pages_notes(noted: Sequence[tuple[str, str]]) -> list[str]:
    """One line for all images that have notes, as pairs of image and note; none for none."""
    if not noted:
        return []
    named = ", ".join(f"{image} ({note})" for image, note in noted[:NOTED])
    more = f" and {len(noted) - NOTED:,} more" if len(noted) > NOTED else ""
    return [f"{counted(len(noted), '{image has|images have}')} several pages or frames: {named}{more}"]


def _size_of(image: Image.Image, number: int) -> tuple[int, int]:
    image.seek(number)
    return image.size
