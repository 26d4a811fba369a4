"""What several verbs check before they begin: weights, classes, counts, and that a device is there."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import device_for
from ssd300.errors import did_you_mean
from ssd300.system.files import check_output_free
from ssd300.training.launch import has_state
from ssd300.training.new_run import check_start_is_kept, no_state

SHOWN_CLASSES = 10


def check_device(mistakes: Mistakes, weights: str, device: str) -> None:
    """Check that the device is there, and that the weights can run on it."""
    with mistakes.caught():
        device_for(weights, device)


def check_weights(mistakes: Mistakes, weights: str) -> Sequence[str] | None:
    """Check that the weights are there, and can be read. Nothing is downloaded.

    Returns their classes; None where these are known only once they are loaded, as of an exported file.
    """
    classes: Sequence[str] | None = None
    with mistakes.caught():
        from ssd300.detection.backends import is_exported

        if is_exported(weights) and Path(weights).is_file():
            return None  # before torch is imported, which an exported file does without
        from ssd300.weights.format import read_card_file
        from ssd300.weights.resolve import find_weights

        path = find_weights(weights)
        if path is not None and not is_exported(path):
            classes = read_card_file(path).classes
    return classes


def check_counts(mistakes: Mistakes, counts: Iterable[tuple[str, int | None]], verb: str, least: int = 1) -> None:
    """Check that options with whole numbers are not below `least`; None is an option that is left out."""
    for option, value in counts:
        if value is not None and value < least:
            mistakes.add(f"{option} is {value}; it must be {least} or more", fix=f"See `ssd300 {verb} --help`.")


def check_names(mistakes: Mistakes, option: str, names: Iterable[str], classes: Sequence[str]) -> None:
    """Check that the classes that an option names are classes of the weights."""
    for name in names:
        if name not in classes:
            shown = ", ".join(classes[:SHOWN_CLASSES]) + (", …" if len(classes) > SHOWN_CLASSES else "")
            fix = did_you_mean(name, classes, f"Their classes: {shown}.")
            mistakes.add(f"{option}: the weights have no class '{name}'", fix=fix)


def check_outputs(mistakes: Mistakes, outputs: Iterable[str], classes: Sequence[str]) -> None:
    """Check that the formats that --save names can hold these classes."""
    from ssd300.data.class_lists import misfit

    for output in outputs:
        if (why := misfit(output, classes)) is not None:
            mistakes.add(f"--save {why}", fix=f"Leave {output} out; jsonl and coco hold any name.")


def check_file_given(mistakes: Mistakes, file: Path | None, *, option: str, **how: Any) -> None:
    """Check that a file to write is free, as `check_file_free` does; None is an option that is left out."""
    from ssd300.system.files import check_file_free

    if file is not None:
        with mistakes.caught():
            check_file_free(file, option, **how)


def check_run_folder(
    mistakes: Mistakes, out: Path, *, resume: bool, overwrite: bool, data: Iterable[Path], init: str
) -> None:
    """Check that the folder of a new run is free and no input of it, or that the run in it can be resumed."""
    if resume and not has_state(out):
        mistakes.errors.append(no_state(out))
    if not resume:
        resume_it = "Add --resume to resume the run that is there. " if has_state(out) else ""
        last = "--overwrite deletes what a run wrote there."
        with mistakes.caught():
            check_output_free(out, overwrite=overwrite, instead=resume_it + last, inputs=data)
            check_start_is_kept(out, init)


def check_start_and_device(mistakes: Mistakes, init: str, device: str, *, needs_boxes: bool) -> None:
    """Check that the weights that a run starts from are there, or have a known name, and that the device is there.

    `needs_boxes`: the run takes the default boxes of its start.
    """
    with mistakes.caught():
        from ssd300.weights.start_file import check_is_detector, check_start

        check_start(init)
        if needs_boxes:
            check_is_detector(init)
    with mistakes.caught():
        from ssd300.system.device import choose_device

        choose_device(device)


def check_backbone(mistakes: Mistakes, backbone: str | None, image_size_px: int | None) -> None:
    """Check that timm has the network, and that a detector can be built on it; None is a model of ours."""
    if backbone is None:
        return
    with mistakes.caught():
        from ssd300.model.shapes import timm_shape

        shape = timm_shape(backbone)
        shape.map_sizes(image_size_px or shape.image_size_px)


def check_share(mistakes: Mistakes, option: str, share: float | None) -> float | None:
    """The share of images if it is above 0 and below 1, else None."""
    if share is not None and not 0 < share < 1:
        hint = f"Write {share / 100:g}." if 2 <= share < 100 else "Such as 0.2 for a fifth."
        mistakes.add(f"{option} is {share:g}; it must be between 0 and 1", fix=hint)
        return None
    return share
