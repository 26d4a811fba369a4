"""The images that a run is evaluated on: the held-out split of its data, if there is one."""

from collections.abc import Sequence
from pathlib import Path

from ssd300.data.choices import FormatName, OnBadLabel
from ssd300.data.dataset import Dataset
from ssd300.data.formats.annotations import NoSplitError
from ssd300.data.load import load_dataset


def find_held_out(
    paths: Sequence[Path], trained_on: Dataset, *, format_: FormatName = "auto", on_bad_label: OnBadLabel = "error"
) -> tuple[Dataset | None, tuple[str, ...]]:
    """The split for evaluation of the data at `paths`, with the classes of `trained_on`, and notes for the user.

    None, with the reason as a note, if there is no such split, or if any of its images is trained on. Raises DataError
    as `load_dataset` does.
    """
    try:
        held_out = load_dataset(
            *paths, purpose="test", classes=trained_on.classes, format=format_, on_bad_label=on_bad_label
        )
    except NoSplitError as error:
        return None, (f"no evaluation while training: {error}",)
    images = {annotation.image_path for annotation in trained_on.annotations}
    if images.isdisjoint(annotation.image_path for annotation in held_out.annotations):
        return held_out, held_out.notes
    return None, (*held_out.notes, "no evaluation while training: some of its images are trained on")
