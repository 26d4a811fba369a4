"""`ssd300 convert`: a dataset in another format."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import HOLD_OUT, next_steps, training
from ssd300.cli.options import (
    DataOptions,
    Json,
    OutFolder,
    Overwrite,
    Usual,
    print_json,
    read_classes,
    say,
)
from ssd300.data.choices import WrittenFormat
from ssd300.errors import DataError
from ssd300.reporting.next_steps import command
from ssd300.system.progress import shown
from ssd300.system.wording import plural


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ConvertedData(DataOptions):
    """How the dataset is read.

    Parameters
    ----------
    split
        The split to convert. Default: every split.
    """


def convert(
    data: Path,
    /,
    out: OutFolder,
    *,
    to: Annotated[WrittenFormat, Usual],
    reading: ConvertedData = ConvertedData(),  # frozen
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Write a dataset in VOC, COCO or YOLO format, with its images.

    Parameters
    ----------
    data
        A PASCAL VOC folder, COCO annotations, YOLO data, or a folder of lists.
    out
        The new folder. It can also be named after DATA, without --out.
    to
        The format of the new folder.
    reading
        How the dataset is read.
    overwrite
        Write into a folder that is not empty.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.data.class_lists import misfit
    from ssd300.data.convert import WRITERS, load_splits
    from ssd300.data.splits import has_held_out
    from ssd300.system.files import check_output_free, whole_folder

    mistakes = Mistakes()
    with mistakes.caught():
        check_output_free(out, overwrite=overwrite, inputs=[data])
    with mistakes.caught(), shown("reading the dataset"):
        splits, notes = load_splits(
            data,
            split=reading.split,
            classes=read_classes(reading.classes),
            format=reading.format,
            on_bad_label=reading.on_bad_label,
            only=reading.only or None,
        )
    mistakes.raise_all()
    say([*(note for dataset in splits for note in dataset.notes), *notes])
    for dataset in splits:
        if (why := misfit(to, dataset.classes)) is not None:
            raise DataError(why, where=dataset.root, fix="Rename the class in the annotations, or choose another --to.")
    with whole_folder(out, overwrite=overwrite) as folder, shown("writing", sum(map(len, splits))) as task:
        lost, remarks = WRITERS[to](folder, splits, task.advance)
    say([*remarks, *lost])
    summary: dict[str, dict[str, Any]] = {
        dataset.split: {
            "images": len(dataset),
            "objects": sum(dataset.objects_per_class().values()),
            "dropped": dict(dataset.dropped),
        }
        for dataset in splits
    }
    if json_:
        print_json({"form": to, "folder": str(out), "splits": summary, "lost": lost})
        return
    for name, counts in summary.items():
        sys.stdout.write(f"{name}: {plural(counts['images'], 'image')}, {plural(counts['objects'], 'object')}\n")
    sys.stdout.write(f"{to} in {out}\n")
    next_steps([(command("check", out), "check it"), training([out], *(() if has_held_out(summary) else HOLD_OUT))])
