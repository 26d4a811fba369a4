"""`ssd300 prepare`: pytorch-SSD300's data lists from PASCAL VOC folders."""

import os
import sys
from pathlib import Path
from typing import Any, Literal

from ssd300.cli.options import DataFormat, Json, Switch, print_json, read_classes, say
from ssd300.errors import DataError, UsageError

SHOWN_FAULTS = 10


def prepare(
    *data: Path,
    out: Path,
    voc07: Path | None = None,
    voc12: Path | None = None,
    absolute_paths: Switch = False,
    check_images: Switch = False,
    format_: DataFormat = "auto",
    classes: Path | None = None,
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Write lists of training and test images, and of their objects, as JSON.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, lists; their own splits are used.
    out
        The folder of the lists.
    voc07
        VOC2007: its trainval is trained on, its test is tested on.
    voc12
        VOC2012: its trainval is trained on.
    absolute_paths
        Write paths as pytorch-SSD300 does, instead of relative to --out.
    check_images
        Read every image; without it sizes and boxes come from the annotations alone.
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
    if bool(data) == bool(voc07 or voc12):
        raise UsageError("prepare needs either a folder or --voc07 and --voc12", fix="See `ssd300 prepare --help`.")
    from ssd300.data import Dataset, load_dataset
    from ssd300.data.formats.labels import NoSplitError
    from ssd300.data.formats.lists import write_lists
    from ssd300.system.files import check_output_free, whole_folder

    out = out.resolve()  # a folder called `.` has no name to build beside
    check_output_free(out, overwrite=overwrite)
    known = read_classes(classes)
    policy: dict[str, Any] = {"on_bad_label": on_bad_label, "require_images": check_images}

    def load(*paths: Path, **choices: Any) -> Dataset:
        dataset = load_dataset(*paths, **({"classes": known} | policy | choices))
        say(dataset.notes)
        return dataset

    if data:
        train, test = [load(*data, format=format_)], []
        try:
            test = [load(*data, format=format_, purpose="test", classes=train[0].classes)]
        except NoSplitError as error:
            say([f"no test list: {error}"])
        learnt = {annotation.image_path for annotation in train[0].annotations}
        if test and not learnt.isdisjoint(annotation.image_path for annotation in test[0].annotations):
            say([f"no test list: images of the split '{test[0].split}' are trained on"])
            test = []
    else:
        years = [_year(path, year) for path, year in ((voc07, "VOC2007"), (voc12, "VOC2012")) if path is not None]
        train = [load(year, format="voc", split="trainval") for year in years]
        test = [load(years[0], format="voc", split="test")] if voc07 is not None else []
    if check_images:
        _read_images([annotation.image_path for part in (*train, *test) for annotation in part.annotations])
    with whole_folder(out, overwrite=overwrite) as folder:
        summary = write_lists(folder, train, test, home=out, absolute_paths=absolute_paths)
    if json_:
        print_json(summary)
        return
    width = max(map(len, [*summary["classes"], "images"]))
    sys.stdout.write(f"{'':{width}}  {'train':>8}  {'test':>8}\n")
    for name in ("images", "objects"):
        sys.stdout.write(f"{name:{width}}  {summary['train'][name]:8}  {summary['test'][name]:8}\n")
    for name in summary["classes"]:
        counts = [summary[part]["objects_per_class"][name] for part in ("train", "test")]
        sys.stdout.write(f"{name:{width}}  {counts[0]:8}  {counts[1]:8}\n")


def _read_images(paths: list[Path]) -> None:
    """Raises DataError that names the images that cannot be read."""
    from concurrent.futures import ThreadPoolExecutor

    from ssd300.images.read import read_image

    def fault(path: Path) -> str | None:
        try:
            read_image(path)
        except DataError as error:
            return f"{path}: {error.what}"
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [found for found in pool.map(fault, paths) if found is not None]
    if faults:
        more = f"\n    and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise DataError(
            f"{len(faults)} of {len(paths)} images cannot be read:\n    " + "\n    ".join(faults[:SHOWN_FAULTS]) + more,
            fix="Replace the files, or take them out of the lists.",
        )


def _year(path: Path, year: str) -> Path:
    return path / year if (path / year).is_dir() else path
