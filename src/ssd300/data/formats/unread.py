"""What is at a path that no format fits, in words, and how to go on from there."""

import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ssd300.data.formats.file_index import walk
from ssd300.data.formats.text import read_text
from ssd300.data.formats.yolo_folder import CLASS_FILES
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".xz", ".bz2", ".7z", ".rar", ".zst")
SEEN_FILES = 20_000  # no more are looked at
SHOWN = 4  # kinds of files
HEAD_BYTES = 100_000  # of a JSON file, by which it is recognized
YOLO_COLUMNS = 5  # at least
NO_IMAGE = "There is no image: name the folder that holds images and labels, or export them together."
EXPORT = "export the annotations as COCO, PASCAL VOC or YOLO."


class Foreign(NamedTuple):
    """A kind of JSON file: all `marks` are in it."""

    marks: tuple[bytes, ...]
    what: str
    advice: str


FOREIGN = (
    Foreign((b'"imagePath"', b'"shapes"'), "labelme's", "Make VOC or COCO of it with labelme2voc.py or labelme2coco."),
    Foreign((b'"regions"',), "the VGG Image Annotator's", "Export it as COCO there."),
    Foreign((b'"coordinates"', b'"label"'), "CreateML's", "Export the annotations as COCO or PASCAL VOC."),
    Foreign((b'"bbox"', b'"score"'), "COCO results, detections without images", "Name it with --predictions."),
    Foreign((b'"caption"',), "COCO's captions, without boxes", "Take its instances_*.json."),
    Foreign((b'"annotations"', b'"data"'), "Label Studio's own", "Export as COCO, PASCAL VOC or YOLO there."),
    Foreign((b'"annotations"', b'"images"'), "COCO's without categories", "Export it again, with categories."),
)
TABLES = {
    ".csv": "Tables of boxes are not read: ",
    ".tsv": "Tables of boxes are not read: ",
    ".parquet": "Tables of boxes are not read: ",
    ".jsonl": "JSON lines are not read: ",
    ".tfrecord": "TFRecords are not read: ",
    ".record": "TFRecords are not read: ",
    ".mat": "MATLAB's files are not read: ",
}


def what_is_seen(path: Path) -> tuple[str, str]:
    """What follows "there is no data of a known format here", and what to do; "" where nothing helps."""
    if path.is_file():
        return _file_seen(path)
    files = list(islice(walk(path), SEEN_FILES))
    counts = Counter(file.suffix.casefold() or "no ending" for file in files)
    if not counts:
        return ": the folder is empty", ""
    seen = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(SHOWN))
    more = f" and {len(counts) - SHOWN} other kinds of files" if len(counts) > SHOWN else ""
    return f"; it holds {seen}{more}", _advice(path, files)


def _file_seen(path: Path) -> tuple[str, str]:
    suffix = path.suffix.casefold()
    if suffix in ARCHIVES:
        return ": it is an archive", _unpack(path)
    if suffix == ".xml":
        return (
            ": it is a single XML file",
            f"Name the folder: {path.parent if path.parent.name else path.absolute().parent}.",
        )
    if suffix == ".json":
        return _json_seen(path)
    if suffix in TABLES:
        return "", TABLES[suffix] + EXPORT
    if is_image_name(path):
        return ": it is an image", f"To detect things of everyday life on it: `{_detect(path)}`."
    return "", ""


def _detect(path: Path) -> str:
    return shlex.join(["ssd300", "detect", str(path), "--weights", "coco"])


def _json_seen(file: Path) -> tuple[str, str]:
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    for kind in FOREIGN:
        if all(mark in head for mark in kind.marks):
            return f": the JSON is {kind.what}", f"Only COCO annotations are read. {kind.advice}"
    return ": the JSON is not COCO's", f"COCO annotations have 'images', 'annotations' and 'categories': {EXPORT}"


def _unpack(archive: Path) -> str:
    folder = archive.with_suffix("")
    if archive.suffix.casefold() == ".zip":
        return f"Unpack it first, then name the folder: `unzip {archive} -d {folder}`."
    return f"Unpack it first, then name the folder: `mkdir {folder} && tar xf {archive} -C {folder}`."


def _advice(path: Path, files: Sequence[Path]) -> str:
    if archives := [file for file in files if file.suffix.casefold() in ARCHIVES]:
        return _unpack(archives[0])
    if any(file.name == "_annotations.txt" for file in files):
        return "Roboflow's _annotations.txt is not read: export it as COCO, PASCAL VOC or YOLO there."
    if any(file.name in CLASS_FILES for file in files) and not any(map(is_image_name, files)):
        return NO_IMAGE
    if (label := _label_text(files)) is not None:
        return _of_texts(label)
    if jsons := [file for file in files if file.suffix.casefold() == ".json"]:
        what, advice = _json_seen(jsons[0])
        return f"{jsons[0].name}{what.replace(': the JSON', '')}. {advice}"
    if tables := [words for file in files if (words := TABLES.get(file.suffix.casefold()))]:
        return tables[0] + EXPORT
    if any(map(is_image_name, files)):
        return (
            f"These are images without annotations. To label them: `{shlex.join(['ssd300', 'label', str(path)])}`. "
            f"To detect things of everyday life on them as they are: `{_detect(path)}`."
        )
    return NO_IMAGE if any(file.suffix.casefold() == ".txt" for file in files) else ""


def _label_text(files: Sequence[Path]) -> Path | None:
    """The first text file that has the name of an image."""
    images = {file.stem for file in files if is_image_name(file)}
    return next((file for file in files if file.suffix.casefold() == ".txt" and file.stem in images), None)


def _of_texts(label: Path) -> str:
    try:
        columns = next((line.split() for line in read_text(label).splitlines() if line.strip()), None)
        if columns is not None:
            _ = [float(column) for column in columns]
    except (DataError, ValueError):
        return f"The text files, such as {label}, are not YOLO's, which hold numbers alone: {EXPORT}"
    return (
        "If these are YOLO labels, write a data.yaml beside them: `train:` and `val:` name the folders of images, "
        "`names:` lists the classes. A classes.txt with a class per line does it too."
    )
