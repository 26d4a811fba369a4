"""Detections in the formats of other tools: COCO's two, FiftyOne's labels, YOLO text files, VOC XML with scores.

Our own single object is among them: `detections.json`, which is the API's response too. Each reader puts what it finds
into `PredictionRows`. A prediction without a score is a fault, except in YOLO's files, which may leave it out.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ssd300.boxes import CORNERS, from_voc_pixels
from ssd300.data.formats.coco_rows import from_xywh
from ssd300.data.formats.yolo import to_corners
from ssd300.data.predictions.jsonl import add_image
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError
from ssd300.system.wording import plural

Reader: TypeAlias = Callable[[PredictionRows, Path | None], list[str]]
SCORES = ("score", "confidence")  # as tools name it
NO_SCORE = "the prediction has no score; is this an annotation?"
OBJECTS = ("detections.json", "labels.json")  # ours and FiftyOne's, in a folder
EXPORT = "Export the predictions again."
CLASS_FILES = ("classes.txt", "obj.names")
COCO_RESULTS = "coco.json"  # as we write them
IDS_BESIDE = "coco_ids.json"  # beside COCO results that we wrote: COCO annotations, of which only the ids count


def foreign_reader(path: Path) -> tuple[str, Reader] | None:
    """The name of the format of `path` and its reader; None for none of these.

    Raises:
        DataError: a JSON file cannot be read, or its object is of no known format or holds no prediction.
    """
    if path.is_file() and path.suffix == ".json":
        beginning = path.read_bytes()[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
        if beginning.startswith(b"["):
            return "coco", partial(_read_coco_results, path)
        return _object_reader(path) if beginning.startswith(b"{") else None
    if path.is_dir():
        for name in OBJECTS:
            if (path / name).is_file():
                return _object_reader(path / name)
        if next(path.glob("*.xml"), None) is not None:
            return "voc", partial(_read_voc_xml, path)
        if next(path.glob("*.txt"), None) is not None:
            return "yolo", partial(_read_yolo, path)
    return None


def _object_reader(file: Path) -> tuple[str, Reader]:
    content = _load(file)
    for key, (kind, name, read) in _BY_KEY.items():
        if isinstance(content, dict) and isinstance(content.get(key), kind):
            if not content[key]:
                raise _nothing_in(file)
            return name, partial(read, content, file)
    keys = ", ".join(f"'{key}'" for key in _BY_KEY)
    raise DataError(f"predictions of an unknown format: there is none of the keys {keys}", where=file, fix=EXPORT)


def _nothing_in(file: Path) -> DataError:
    """The error of an object whose list of predictions is empty, such as a list of ids."""
    if file.name == IDS_BESIDE:
        what = "this is the list of ids of COCO results, without predictions"
        return DataError(what, where=file, fix=f"Name {file.with_name(COCO_RESULTS)}.")
    fix = "Name the file with the predictions. A detector that finds nothing has the COCO results []."
    return DataError("the file holds no prediction", where=file, fix=fix)


def _read_coco_results(path: Path, rows: PredictionRows, ids_of: Path | None) -> list[str]:
    """A list of `image_id`, `category_id`, `bbox` (x, y, width, height) and `score`.

    The ids are those of `ids_of`, or in our own results of the file that was written with them.
    """
    if path.with_name(IDS_BESIDE).is_file():
        ids_of = path.with_name(IDS_BESIDE)
    if ids_of is None:
        raise DataError(
            "the meaning of the ids in COCO results is not known",
            where=path,
            fix="Name the COCO annotations that have these ids with --ids-of.",
        )
    return _add_coco(_load(path), path, _load(ids_of), ids_of, rows)


def _read_coco_annotations(
    content: dict[str, Any], file: Path, rows: PredictionRows, _ids_of: Path | None
) -> list[str]:
    """COCO's `images`, `categories` and `annotations`, each annotation with a score. The ids refer to the same file."""
    return _add_coco(content["annotations"], file, content, file, rows, sized=True)


def _add_coco(
    entries: Any, file: Path, ids: Any, ids_of: Path, rows: PredictionRows, *, sized: bool = False
) -> list[str]:
    """`entries` are from `file`; `ids` are the COCO annotations of the file `ids_of`, whose sizes count if `sized`."""
    try:
        images = {entry["id"]: str(entry["file_name"]) for entry in ids["images"]}
        sizes = {entry["id"]: (entry.get("height"), entry.get("width")) for entry in ids["images"] if sized}
        categories = {entry["id"]: str(entry["name"]) for entry in ids["categories"]}
    except (KeyError, TypeError) as error:
        raise DataError(
            f"these are not COCO annotations ({error!r})", where=ids_of, fix="Name a file with images and categories."
        ) from error
    for number, entry in enumerate(entries, start=1):
        with rows.at(f"{file}, entry {number}"):
            image, category = entry["image_id"], entry["category_id"]
            for kind, key, known in (("image", image, images), ("category", category, categories)):
                if key not in known:
                    raise DataError(f"the {kind} id {key!r} is not one of {ids_of}")
            index = rows.image(images[image])
            rows.check_size(index, *sizes.get(image, (None, None)))
            x, y, width, height = map(float, entry["bbox"])
            box_px = from_xywh(x, y, width, height)
            rows.add(index, rows.label(categories[category]), (_score(entry), *box_px))
    return []


def _read_fiftyone(content: dict[str, Any], file: Path, rows: PredictionRows, _ids_of: Path | None) -> list[str]:
    """`labels`, by image: `label`, `bounding_box` (x, y, width, height, relative) and `confidence`."""
    names = content.get("classes")
    for image, entries in content["labels"].items():
        for number, entry in enumerate(entries or (), start=1):
            with rows.at(f"{file}, {image}, entry {number}"):
                index = rows.image(image)
                high, wide = _size(rows, index)
                label = entry["label"]
                name = names[label] if isinstance(label, int) and isinstance(names, list) else label
                x, y, width, height = map(float, entry["bounding_box"])
                xmin, ymin, xmax, ymax = from_xywh(x, y, width, height)
                box_px = (xmin * wide, ymin * high, xmax * wide, ymax * high)
                rows.add(index, rows.label(name), (_score(entry), *box_px))
    return []


def _read_ours(content: dict[str, Any], file: Path, rows: PredictionRows, _ids_of: Path | None) -> list[str]:
    """`images`, each a row of `jsonl.image_row`."""
    for number, image in enumerate(content["images"], start=1):
        with rows.at(where := f"{file}, image {number}"):
            add_image(image, where, rows)
    return []


_BY_KEY = {  # the first key that is present decides
    "labels": (dict, "fiftyone", _read_fiftyone),
    "annotations": (list, "coco", _read_coco_annotations),
    "images": (list, "json", _read_ours),
}


def _read_yolo(path: Path, rows: PredictionRows, _ids_of: Path | None) -> list[str]:
    """A text file per image: class number, center and size (relative), and score, as Ultralytics' save_conf writes.

    A row without a score, as in files for labeling, counts with score 1, which a note says.
    """
    listed = next((path / name for name in CLASS_FILES if (path / name).is_file()), None)
    names: Sequence[str] = rows.classes if listed is None else listed.read_text(encoding="utf-8").split("\n")
    without_score = 0
    for file in sorted(path.glob("*.txt")):
        if file.name in CLASS_FILES:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
            if not (words := line.split()):
                continue
            with rows.at(f"{file}:{number}"):
                if len(words) not in (5, 6):
                    raise DataError(f"the row has {len(words)} columns, expected 6, or 5 without a score")
                index = rows.image(file.stem)
                high, wide = _size(rows, index)
                number_of_class = int(words[0])
                if not 0 <= number_of_class < len(names):
                    raise DataError(f"the class number {number_of_class} is not one of 0..{len(names) - 1}")
                x, y, width, height, score = map(float, [*words[1:], "1"][:5])
                without_score += len(words) == 5
                xmin, ymin, xmax, ymax = to_corners(x, y, width, height)
                box_px = (xmin * wide, ymin * high, xmax * wide, ymax * high)
                rows.add(index, rows.label(names[number_of_class].strip()), (score, *box_px))
    notes = [] if listed else ["there is no classes.txt: class numbers are indices into the classes of the data"]
    if without_score:
        notes.append(
            f"{plural(without_score, 'row')} without a score: each counts with score 1, so AP says little; `ssd300 "
            "detect --save yolo-scores` writes the scores"
        )
    return notes


def _read_voc_xml(path: Path, rows: PredictionRows, _ids_of: Path | None) -> list[str]:
    """A VOC annotation file per image, each object with a score."""
    for file in sorted(path.glob("*.xml")):
        with rows.at(str(file)):
            try:
                root = fromstring(file.read_bytes())
            except (ParseError, DefusedXmlException, ValueError) as error:
                raise DataError(f"this is not XML that can be read ({error})") from None
            index = rows.image(file.stem)
            rows.check_size(index, *((root.findtext(f"size/{side}") or "").strip() for side in ("height", "width")))
            for number, item in enumerate(root.iter("object"), start=1):
                with rows.at(f"{file}, object {number}"):
                    corners = [_number(item, f"bndbox/{tag}") for tag in CORNERS]
                    score = next((float(text) for tag in SCORES if (text := item.findtext(tag)) is not None), None)
                    if score is None:
                        raise DataError(NO_SCORE)
                    label = rows.label((item.findtext("name") or "").strip())
                    rows.add(index, label, (score, *from_voc_pixels(*corners)))
    return []


def _number(item: Element, tag: str) -> float:
    text = item.findtext(tag)
    if text is None:
        raise DataError(f"<{tag.replace('/', '><')}> is missing")
    return float(text)


def _score(entry: dict[str, Any]) -> float:
    score = next((entry[key] for key in SCORES if entry.get(key) is not None), None)
    if score is None:
        raise DataError(NO_SCORE)
    return float(score)


def _size(rows: PredictionRows, index: int) -> tuple[int, int]:
    size_hw = rows.annotations[index].size_hw
    if size_hw is None:
        raise DataError("the boxes are relative, and the size of the image is not in the data")
    return size_hw


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the file cannot be read ({error})", where=file, fix=EXPORT) from error
