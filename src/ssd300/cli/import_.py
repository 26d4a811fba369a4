"""`ssd300 import`: checkpoints of other SSD300 codes as weights of ours, without running their code."""

import sys
from pathlib import Path
from typing import Literal

from ssd300.cli.options import Json, Switch, print_json, read_classes, say
from ssd300.errors import UsageError
from ssd300.training.config import DefaultBoxesName


def import_(
    old: Path,
    new: Path,
    *,
    classes: Path | None = None,
    default_boxes: DefaultBoxesName | None = None,
    normalization: Literal["caffe", "imagenet", "none"] | None = None,
    channels: Literal["rgb", "bgr"] | None = None,
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Convert a checkpoint of another SSD300 code to a weights file of ours, without running its code.

    Parameters
    ----------
    old
        torchvision's, amdegroot's, lufficc's, the tutorial's or ChainerCV's SSD300, or a caffemodel.
    new
        The .safetensors file to write.
    classes
        A file with one class a line, where the number of outputs does not tell them.
    default_boxes
        Where they are not those of the code that the file's layout is of.
    normalization
        Likewise; pytorch-SSD300 itself trained with 'none', the tutorial with 'imagenet'.
    channels
        Likewise; the order in which its network sees colours.
    overwrite
        Replace a file that is there.
    json_
        Print one JSON object and nothing else.
    """
    if new.suffix != ".safetensors":
        raise UsageError("the new file's name does not end in .safetensors", where=new, fix="Name it so.")
    if new.exists() and not overwrite:
        raise UsageError("the new file exists", where=new, fix="Name another, or add --overwrite.")
    known = read_classes(classes)
    from ssd300.model.default_boxes import SETTINGS
    from ssd300.model.ssd import NORMALIZATIONS
    from ssd300.weights import save_weights
    from ssd300.weights.foreign import import_weights

    model, card, report = import_weights(
        old,
        classes=known,
        settings=SETTINGS[default_boxes] if default_boxes else None,
        normalization=NORMALIZATIONS[normalization] if normalization else None,
        bgr=None if channels is None else channels == "bgr",
    )
    save_weights(new, model, card)
    if json_:
        print_json(
            {
                "layout": report.layout,
                "matched": [list(pair) for pair in report.matched],
                "missing": [],
                "left_over": list(report.left_over),
                "notes": list(report.notes),
                "classes": list(card.classes),
                "file": str(new),
            }
        )
        return
    say(report.notes)
    if report.left_over:
        say([f"left over: {', '.join(report.left_over)}"])
    sys.stdout.write(
        f"{report.layout}: {len(report.matched)} tensors matched, {len(report.left_over)} left over, none missing\n"
        f"{len(card.classes)} classes, weights in {new}\n"
    )
