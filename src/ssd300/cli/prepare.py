"""`ssd300 prepare`: pytorch-SSD300's data lists from annotated images."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import HOLD_OUT, next_steps, training
from ssd300.cli.options import (
    DataOptions,
    Json,
    OfData,
    OfOutput,
    OutFolder,
    Overwrite,
    Split,
    Switch,
    Usual,
    print_json,
    read_classes,
    say,
)
from ssd300.system.progress import shown


def prepare(
    *data: Path,
    out: OutFolder,
    voc07: Annotated[Path | None, Usual, Parameter(metavar="FOLDER")] = None,
    voc12: Annotated[Path | None, Usual, Parameter(metavar="FOLDER")] = None,
    absolute_paths: Annotated[Switch, OfOutput] = False,
    check_images: Annotated[Switch, OfData] = False,
    reading: DataOptions = DataOptions(),  # frozen
    eval_split: Split | None = None,
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Write pytorch-SSD300's lists of training and test images.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined.
    out
        The folder of the lists.
    voc07
        VOC2007, in place of DATA: its trainval is for training, its test for testing.
    voc12
        VOC2012, in place of DATA: its trainval is for training.
    absolute_paths
        Write absolute paths, as pytorch-SSD300 does, instead of paths relative to --out.
    check_images
        Read every image; without it, images are not decoded.
    reading
        How the dataset is read.
    eval_split
        The split for the test lists. Default: test or val, the first that can be used.
    overwrite
        Write into a folder that is not empty.
    json_
        Print one JSON object and nothing else.
    """
    mistakes = Mistakes()
    if bool(data) == bool(voc07 or voc12):
        what = "a folder of data was named beside --voc07 or --voc12" if data else "no data was named"
        mistakes.add(what, fix="Name a folder of annotated images, or PASCAL VOC with --voc07 and --voc12.")
    elif not data and (reading.split is not None or eval_split is not None):
        mistakes.add("--voc07 and --voc12 have splits of their own", fix="Leave out --split and --eval-split.")
    from ssd300.data.prepare import check_images as check_all
    from ssd300.data.prepare import load_train_test, load_voc_years, write_lists
    from ssd300.system.files import check_output_free, whole_folder

    with mistakes.caught():
        check_output_free(out, overwrite=overwrite)
    classes = None
    with mistakes.caught():
        classes = read_classes(reading.classes)
    options: dict[str, Any] = {
        "classes": classes,
        "only": reading.only or None,
        "on_bad_label": reading.on_bad_label,
        "require_images": check_images,
    }
    with mistakes.caught(), shown("reading the dataset"):
        if data:
            parts = load_train_test(data, format=reading.format, split=reading.split, eval_split=eval_split, **options)
        elif voc07 or voc12:
            parts = load_voc_years(voc07, voc12, **options)
    mistakes.raise_all()
    typed, out = out, out.resolve()  # a folder called `.` has no name to build beside
    say(parts.notes)
    if check_images:
        check_all(parts.image_paths, shown)
    with whole_folder(out, overwrite=overwrite) as folder:
        summary = write_lists(folder, parts.train, parts.test, home=out, absolute_paths=absolute_paths)
    if json_:
        print_json(summary)
        return
    print_counts(summary, "test")
    next_steps([training([typed], *(() if summary["test"]["images"] else HOLD_OUT))])


def print_counts(summary: Mapping[str, Any], held_out: str) -> None:
    """Images, and objects per class, of both lists; `held_out` is the title of the second one."""
    width = max(map(len, [*summary["classes"], "objects"]))
    sys.stdout.write(f"{'':{width}}  {'train':>8}  {held_out:>8}\n")
    for name in ("images", "objects"):
        sys.stdout.write(f"{name:{width}}  {summary['train'][name]:8}  {summary['test'][name]:8}\n")
    for name in summary["classes"]:
        counts = [summary[part]["objects_per_class"][name] for part in ("train", "test")]
        sys.stdout.write(f"{name:{width}}  {counts[0]:8}  {counts[1]:8}\n")
