"""`ssd300 convert`: labelled images of one form as another."""

import sys
from pathlib import Path
from typing import Literal

from ssd300.cli.options import DataFormat, Json, Switch, print_json, read_classes, say


def convert(
    data: Path,
    out: Path,
    *,
    to: Literal["voc", "coco", "yolo"],
    split: str | None = None,
    format_: DataFormat = "auto",
    classes: Path | None = None,
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Convert a dataset to VOC, COCO or YOLO format, with copies of its images.

    Parameters
    ----------
    data
        A PASCAL VOC folder, COCO annotations, YOLO data, or a folder of lists.
    out
        The new folder.
    to
        The form of the new folder.
    split
        This split alone; left out, all.
    format_
        Read the data as this, instead of finding out.
    classes
        A file with one class a line.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    overwrite
        Write into a folder that is not empty.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data import Dataset, load_dataset
    from ssd300.data.convert import WRITERS
    from ssd300.data.load import labelled_splits
    from ssd300.system.files import check_output_free, whole_folder

    check_output_free(out, overwrite=overwrite)
    known = read_classes(classes)
    splits: list[Dataset] = []
    for name in [split] if split is not None else labelled_splits([data], format_) or (None,):
        names = splits[0].classes if splits else known
        splits.append(load_dataset(data, split=name, format=format_, classes=names, on_bad_label=on_bad_label))
    say(note for dataset in splits for note in dataset.notes)
    with whole_folder(out, overwrite=overwrite) as folder:
        lost = WRITERS[to](folder, splits)
    say(lost)
    summary = {
        dataset.split: {"images": len(dataset), "objects": sum(dataset.objects_per_class().values())}
        for dataset in splits
    }
    if json_:
        print_json({"form": to, "folder": str(out), "splits": summary, "lost": lost})
        return
    for name, counts in summary.items():
        sys.stdout.write(f"{name}: {counts['images']:,} images, {counts['objects']:,} objects\n")
    sys.stdout.write(f"{to} in {out}\n")
