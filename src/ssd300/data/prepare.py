"""pytorch-SSD300's data lists from annotated images: which images are trained and tested on, and the files."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssd300.data.choices import FormatName, OnBadLabel
from ssd300.data.dataset import Dataset, check_trainable
from ssd300.data.formats.lists import BACKGROUND, LABEL_MAP, LIST_FILES, to_entry
from ssd300.data.held_out import load_held_out, without_images_of
from ssd300.data.load import load_dataset
from ssd300.data.recognition import open_data
from ssd300.data.shards.dataset import not_read_here
from ssd300.data.splits import WHOLE
from ssd300.errors import DataError, UsageError
from ssd300.images.read import read_image
from ssd300.system.files import write_json
from ssd300.system.progress import Progress, silent

SHOWN_FAULTS = 10
_FIX_YEARS = (
    "Name the folder with Annotations, JPEGImages and ImageSets/Main/trainval.txt. `ssd300 download voc --root DIR` "
    "gets both years."
)
NO_TEST_LIST = "no test list: name a split with --eval-split, or set images aside with `ssd300 split`"

NO_TEST_YEAR = "no test list, which is VOC2007's test; `--holdout 0.2` sets images aside when you train"


@dataclass(frozen=True, kw_only=True)
class TrainTest:
    """The datasets that are trained on and those that are tested on. `notes` are printed."""

    train: list[Dataset]
    test: list[Dataset]
    notes: tuple[str, ...] = field(repr=False)

    @property
    def image_paths(self) -> list[Path]:
        return [annotation.image_path for part in (*self.train, *self.test) for annotation in part.annotations]


def load_train_test(
    data: Sequence[Path],
    *,
    format: FormatName,
    split: str | None = None,
    eval_split: str | None = None,
    classes: Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    on_bad_label: OnBadLabel = "error",
    require_images: bool = True,
) -> TrainTest:
    """The splits to train and to test on, the usual ones where none is named. There may be none to test on; images of
    both are left out of the test split. Raises DataError as `load_dataset` does.
    """
    reading: dict[str, Any] = {"format": format, "on_bad_label": on_bad_label, "require_images": require_images}
    train = load_dataset(*data, split=split, classes=classes, only=only, **reading)
    if not train.in_memory:
        raise not_read_here(data[0])
    check_trainable(train)
    test, notes = load_held_out(data, train, split=eval_split, **reading)
    if test is None:
        return TrainTest(train=[train], test=[], notes=(*train.notes, *notes, NO_TEST_LIST))
    return TrainTest(train=[train], test=[test], notes=(*train.notes, *notes))


def load_voc_years(voc07: Path | None, voc12: Path | None, **options: Any) -> TrainTest:
    """Both years' trainval to train on, VOC2007's test to test on. Each path is a year's folder or the VOCdevkit above.

    A year that has no trainval gives its train split, or no image to train on; without VOC2007's test there is no test
    list. Notes say so. `options` are those of `load_dataset`, which says what is raised.

    Raises:
        UsageError: both are one folder.
        DataError: no year has a split to train on.
    """
    years = [_year(path, name) for path, name in ((voc07, "VOC2007"), (voc12, "VOC2012")) if path is not None]
    if len({year.resolve() for year in years if year.is_dir()}) < sum(year.is_dir() for year in years):
        raise UsageError(
            f"--voc07 and --voc12 are one folder, {years[0]}", fix="Name the folder of each year, or one of them alone."
        )
    notes: list[str] = []
    train: list[Dataset] = []
    for year in years:
        split, remarks = _first_split(year, ("trainval", "train"))
        notes += remarks
        if split is not None:
            train.append(load_dataset(year, format="voc", split=split, **options))
    if not train:
        raise DataError(f"there is nothing to train on: {'; '.join(notes)}", where=years[0], fix=_FIX_YEARS)
    notes += [note for part in train for note in part.notes]
    if voc07 is None:
        return TrainTest(train=train, test=[], notes=(*notes, NO_TEST_YEAR))
    split, remarks = _first_split(years[0], ("test",))
    if split is None:
        return TrainTest(train=train, test=[], notes=(*notes, *remarks, NO_TEST_YEAR))
    test = load_dataset(years[0], format="voc", split=split, purpose="test", **options)
    notes += test.notes
    for part in train:
        test, shared = without_images_of(test, part)
        notes += shared
    return TrainTest(train=train, test=[test], notes=tuple(notes))


def _first_split(year: Path, wanted: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first of the splits that the year has, None for none; and a note unless it is the first one wanted."""
    data = open_data([year], "voc")
    first = next((split for split in wanted if any(source.find(split) for source in data.sources)), None)
    if first == wanted[0]:
        return first, []
    names = [name for name in data.split_names() if name != WHOLE]
    others = f"it has {', '.join(names)}" if names else "it has no lists in ImageSets/Main"
    return first, [f"{year} has no {wanted[0]} split; {others if first is None else f'its {first} is used'}"]


def _year(path: Path, year: str) -> Path:
    return path / year if (path / year).is_dir() else path


def check_images(paths: Iterable[Path], progress: Progress = silent) -> None:
    """Read every image. Raises DataError with the number of those that cannot be read, and the first ones."""
    paths = list(paths)
    faults: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool, progress("reading the images", len(paths)) as task:
        for found in pool.map(_image_fault, paths):
            task.advance()
            faults += [found] if found is not None else []
    if not faults:
        return
    lines = [f"{len(faults)} of {len(paths)} images cannot be read:", *faults[:SHOWN_FAULTS]]
    if len(faults) > SHOWN_FAULTS:
        lines.append(f"and {len(faults) - SHOWN_FAULTS} more")
    raise DataError("\n    ".join(lines), fix="Replace the files, or remove them from the lists.")


def _image_fault(path: Path) -> str | None:
    try:
        read_image(path)
    except DataError as error:
        return f"{path}: {error.what}"
    return None


def write_lists(
    folder: Path, train: Sequence[Dataset], test: Sequence[Dataset], *, home: Path, absolute_paths: bool = False
) -> dict[str, Any]:
    """Write the lists and `data.json` into `folder`; paths are relative to `home`, where the lists will be.

    Returns the content of `data.json`: counts and hashes.

    Raises:
        DataError: the datasets have different classes.
    """
    classes = _common_classes([*train, *test])
    summary: dict[str, Any] = {"classes": list(classes)}
    for name, parts in (("TRAIN", train), ("TEST", test)):
        images = [_path(a.image_path, home, absolute_paths) for part in parts for a in part.annotations]
        objects = [to_entry(a) for part in parts for a in part.annotations]
        write_json(folder / f"{name}_images.json", images, indent=None)
        write_json(folder / f"{name}_objects.json", objects, indent=None)
        summary[name.lower()] = {
            "images": len(images),
            "objects": sum(len(item["boxes"]) for item in objects),
            "objects_per_class": {label: sum(part.objects_per_class()[label] for part in parts) for label in classes},
            "dropped": {key: sum(part.dropped.get(key, 0) for part in parts) for key in ("boxes", "images")},
        }
    label_map = {name: label for label, name in enumerate(classes, start=1)} | {BACKGROUND: 0}
    write_json(folder / LABEL_MAP, label_map, indent=None)
    summary["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in LIST_FILES}
    write_json(folder / "data.json", summary)
    return summary


def _common_classes(parts: Sequence[Dataset]) -> tuple[str, ...]:
    first = parts[0]
    for part in parts:
        if part.classes != first.classes:
            raise DataError(
                f"the classes are {', '.join(part.classes)}, those of {first.root} {', '.join(first.classes)}",
                where=part.root,
                fix="Give the classes of both with --classes.",
            )
    return first.classes


def _path(image: Path, home: Path, absolute: bool) -> str:
    # Links keep their names, as a year's folder is part of an id, except where `..` would not mean what it says.
    whole = image.resolve() if ".." in image.parts else image.absolute()
    return str(whole) if absolute else Path(os.path.relpath(whole, home.resolve())).as_posix()
