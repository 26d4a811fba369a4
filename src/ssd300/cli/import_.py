"""`ssd300 import`: checkpoints of other SSD300 implementations as our weights. None of their code is run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.options import (
    Json,
    Overwrite,
    print_json,
    read_classes,
    say,
)
from ssd300.errors import UsageError
from ssd300.system.files import free_beside
from ssd300.system.progress import shown
from ssd300.system.wording import plural
from ssd300.training.config import NamedBoxes

if TYPE_CHECKING:
    from ssd300.weights.foreign import ImportReport

CLASS_LISTS = ("voc", "coco")  # `weights.class_names.LISTS`, which takes torch to import


def import_(
    old: Path,
    new: Path,
    /,
    *,
    key: Annotated[str | None, Parameter(metavar="NAME")] = None,
    classes: Annotated[Path | None, Parameter(metavar="FILE|voc|coco")] = None,
    default_boxes: NamedBoxes | None = None,
    normalization: Literal["caffe", "imagenet", "none"] | None = None,
    channels: Literal["rgb", "bgr"] | None = None,
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Convert a checkpoint of other SSD300 code to a weights file.

    Parameters
    ----------
    old
        A checkpoint of SSD300-VGG16 by torchvision, amdegroot, lufficc, sgrvinod, pytorch-SSD300, ChainerCV or Caffe.
    new
        The .safetensors file to write.
    key
        Which of several weights in the file to convert, such as model or ema. Default: the first that is no running
        average; the others are named.
    classes
        A text file with one class per line, in the order of the outputs, or voc or coco for the names of these.
        Default: the names that the file or its publication states, else class 1, class 2 and so on.
    default_boxes
        The default boxes that it was trained with. Default: those of the code that wrote it.
    normalization
        The normalization that it was trained with. pytorch-SSD300 trained with none, sgrvinod's tutorial with imagenet;
        their files look alike, and imagenet is taken. Default: that of the code that wrote it.
    channels
        The order of the color channels that it was trained with. Default: that of the code that wrote it.
    overwrite
        Replace the file if it exists.
    json_
        Print one JSON object and nothing else.
    """
    if new.suffix != ".safetensors":
        fix = f"Name the new file {new.with_suffix('.safetensors')}."
        raise UsageError("weights files end in .safetensors", where=new, fix=fix)
    if new.exists() and not overwrite:
        fix = f"Name a free one, such as {free_beside(new)}. --overwrite replaces the file."
        raise UsageError("the file exists", where=new, fix=fix)
    known = str(classes) if is_list_name(classes) else read_classes(classes)
    from ssd300.model.default_boxes import SETTINGS
    from ssd300.model.ssd import NORMALIZATIONS
    from ssd300.weights import save_weights
    from ssd300.weights.foreign import import_weights

    with shown("converting the weights"):
        model, card, report = import_weights(
            old,
            key=key,
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
                "weights": report.choice.name,
                "also_there": list(report.choice.others),
                "prefix": report.choice.taken.prefix,
                "matched": [list(pair) for pair in report.matched],
                "missing": [],
                "left_over": list(report.left_over),
                "notes": list(report.notes),
                "classes": list(card.classes),
                "class_names": report.class_names.origin,
                "file": str(new),
            }
        )
        return
    say(report.notes)
    if report.left_over:
        say([f"left over: {', '.join(report.left_over)}"])
    sys.stdout.write(
        f"{report.layout}{_of(report)}: {plural(len(report.matched), 'tensor')} matched, "
        f"{len(report.left_over)} left over, none missing\n"
        f"{plural(len(card.classes), 'class', 'classes')}, weights in {new}\n"
    )


def is_list_name(classes: Path | None) -> bool:
    """Whether --classes names a known list of classes, and no file that is there."""
    return classes is not None and str(classes) in CLASS_LISTS and not classes.is_file()


def _of(report: "ImportReport") -> str:
    """Which of the file's weights they are, and the prefix of their names; nothing for a plain state dict."""
    facts = report.choice.facts()
    parts = [facts.get("weights", ""), f"prefix {facts['prefix']}" if "prefix" in facts else ""]
    return f" ({'; '.join(filter(None, parts))})" if any(parts) else ""
