"""What is at a path that no format fits, in words, and how to go on from there."""

from collections import Counter
from itertools import islice
from pathlib import Path

from ssd300.data.formats.file_index import walk
from ssd300.images.read import is_image_name

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".xz", ".bz2", ".7z", ".rar", ".zst")
SEEN_FILES = 20_000  # no more are looked at
SHOWN = 4  # kinds of files
TOOLS = {
    ".json": "Annotations as JSON are read if they are COCO's: export labelme's, CreateML's and others as COCO or VOC.",
    ".csv": "Tables of boxes are not read: export the annotations as COCO, PASCAL VOC or YOLO.",
    ".tfrecord": "TFRecords are not read: export the annotations as COCO, PASCAL VOC or YOLO.",
    ".parquet": "Tables of boxes are not read: export the annotations as COCO, PASCAL VOC or YOLO.",
}


def what_is_seen(path: Path) -> tuple[str, str]:
    """What follows "there is no data of a known format here", and what to do; "" where nothing helps."""
    if path.is_file():
        if path.suffix.casefold() in ARCHIVES:
            return ": it is an archive", f"Unpack it first, then name the folder: `unzip {path} -d {path.stem}`."
        if path.suffix.casefold() == ".xml":
            return ": it is a single XML file", f"Name the folder: {path.parent}."
        return "", ""
    files = list(islice(walk(path), SEEN_FILES))
    counts = Counter(file.suffix.casefold() or "no ending" for file in files)
    if not counts:
        return ": the folder is empty", ""
    seen = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(SHOWN))
    return f"; it holds {seen}", _advice(path, files, counts)


def _advice(path: Path, files: list[Path], counts: Counter[str]) -> str:
    if counts[".xml"]:
        first = next(file for file in files if file.suffix.casefold() == ".xml")
        return f"The first XML file is {first}: name the folder with annotations and images, {_above(first)}."
    if archives := [file for file in files if file.suffix.casefold() in ARCHIVES]:
        return f"Unpack it first, then name the folder: `unzip {archives[0]} -d {archives[0].with_suffix('')}`."
    if texts := [file for file in files if file.suffix.casefold() == ".txt"]:
        image = next((file for file in files if is_image_name(file)), None)
        if image is not None and any(text.stem == image.stem for text in texts):
            return (
                "If these are YOLO labels, write a data.yaml beside them: `train:` and `val:` name the folders of "
                "images, `names:` lists the classes."
            )
    if advice := next((words for suffix, words in TOOLS.items() if counts[suffix]), None):
        return advice
    if any(map(is_image_name, files)):
        return (
            "These are images without annotations. Annotate them with a tool that exports PASCAL VOC, COCO or YOLO "
            f"(labelImg, CVAT, Label Studio); to detect on them, no annotation is needed: `ssd300 detect {path} "
            "--weights W`."
        )
    return ""


def _above(xml: Path) -> Path:
    return xml.parent.parent if xml.parent.name.casefold() in ("annotations", "xml", "labels") else xml.parent
