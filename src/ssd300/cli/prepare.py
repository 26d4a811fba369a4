"""`ssd300 prepare`: the seed's data lists from PASCAL VOC folders."""

import sys
from pathlib import Path
from typing import Literal

from ssd300.cli.options import Json, Switch, print_json, read_classes, say
from ssd300.errors import UsageError


def prepare(
    *data: Path,
    out: Path,
    voc07: Path | None = None,
    voc12: Path | None = None,
    absolute_paths: Switch = False,
    check_images: Switch = False,
    classes: Path | None = None,
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Write the lists of training and test pictures and their objects as JSON.

    Parameters
    ----------
    data
        A PASCAL VOC folder whose own splits are used.
    out
        The folder of the lists.
    voc07
        VOC2007: its trainval is trained on, its test is tested on.
    voc12
        VOC2012: its trainval is trained on.
    absolute_paths
        Write paths as the seed does, instead of relative to --out.
    check_images
        Ask that every picture is there; without it sizes and boxes come from the annotations alone.
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
    from ssd300.data.labels import NoSplitError
    from ssd300.data.lists import write_lists
    from ssd300.files import check_output_free, whole_folder

    check_output_free(out, overwrite=overwrite)
    known = read_classes(classes)

    def load(path: Path, split: str | None, purpose: Literal["train", "test"]) -> Dataset:
        dataset = load_dataset(
            path,
            split=split,
            purpose=purpose,
            classes=known,
            on_bad_label=on_bad_label,
            require_images=check_images,
        )
        say(dataset.notes)
        return dataset

    test: list[Dataset] = []
    if data:
        train = [load(path, None, "train") for path in data]
        for path in data:
            try:
                test.append(load(path, None, "test"))
            except NoSplitError as error:
                say([f"no test list: {error}"])
    else:
        years = [_year(path, year) for path, year in ((voc07, "VOC2007"), (voc12, "VOC2012")) if path is not None]
        train = [load(path, "trainval", "train") for path in years]
        test = [load(years[0], "test", "test")] if voc07 is not None else []
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


def _year(path: Path, year: str) -> Path:
    return path / year if (path / year).is_dir() else path
