"""One file of COCO annotations, as JSON that is edited: keys that are not known here stay, and so does its layout."""

import codecs
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.data.formats.annotations import Corners
from ssd300.data.formats.coco import category_names, read_content
from ssd300.data.formats.coco_rows import to_xywh
from ssd300.system.files import write_bytes

LABELED = "labeled"  # our key of an image without objects that somebody has looked at


class CocoDocument:
    """The content of a file, as it was when `stamp` was taken. Raises DataError for what is not COCO annotations."""

    def __init__(self, file: Path) -> None:
        self.file = file
        now = file.stat()
        self.stamp = (now.st_ino, now.st_size, now.st_mtime_ns)
        self.content: dict[str, Any] = read_content(file)
        self.names, _ = category_names(self.content["categories"], self.content["annotations"], file)
        self.of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for entry in self.content["annotations"]:
            if isinstance(entry, dict) and isinstance(entry.get("image_id"), int | str):
                self.of_image[entry["image_id"]].append(entry)
        self.images: dict[Any, dict[str, Any]] = {entry["id"]: entry for entry in self.content["images"]}

    @property
    def is_current(self) -> bool:
        """Whether the file is still the one that was read."""
        try:
            now = self.file.stat()
        except OSError:
            return False
        return self.stamp == (now.st_ino, now.st_size, now.st_mtime_ns)

    def next_id(self) -> int:
        """An id that no annotation has."""
        ids = (entry.get("id") for entry in self.content["annotations"] if isinstance(entry, dict))
        return 1 + max((number for number in ids if isinstance(number, int)), default=0)

    def category_id(self, name: str) -> Any:
        """The id of a class. Raises KeyError if there is none of this name."""
        return {known: number for number, known in self.names.items()}[name]

    def add_category(self, name: str) -> None:
        """Add a class and write the file."""
        entries = self.content["categories"]
        numbers = [entry["id"] for entry in entries if isinstance(entry["id"], int)]
        made: dict[str, Any] = {"id": 1 + max(numbers, default=0), "name": name}
        if any("supercategory" in entry for entry in entries):
            made["supercategory"] = "none" if any(entry.get("supercategory") == "none" for entry in entries) else ""
        entries.append(made)
        self.write()

    def rename_category(self, old: str, new: str) -> None:
        """Give a class another name and write the file. A name that another class has joins the two."""
        numbers = {known: number for number, known in self.names.items()}
        if old not in numbers:
            return
        if new in numbers:
            self.content["categories"] = [one for one in self.content["categories"] if one["id"] != numbers[old]]
            for entry in self.content["annotations"]:
                if isinstance(entry, dict) and entry.get("category_id") == numbers[old]:
                    entry["category_id"] = numbers[new]
        for entry in self.content["categories"]:
            if entry["id"] == numbers[old]:
                entry["name"] = new
        self.write()

    def replace(self, images: Sequence[Mapping[str, Any]], annotations: Sequence[dict[str, Any]]) -> None:
        """Replace the entries of some images and all their annotations, and write the file.

        The new annotations stand where the first of the old ones stood, or at the end.
        """
        ids = [entry["id"] for entry in images]
        by_id = {entry["id"]: dict(entry) for entry in images}
        self.content["images"] = [by_id.get(entry["id"], entry) for entry in self.content["images"]]
        new = {entry["id"]: entry for entry in annotations if "id" in entry}
        old = [one for number in ids for one in self.of_image[number]]
        keep_place = {id(one): new[one["id"]] for one in old if one.get("id") in new}
        kept = {one["id"] for one in keep_place.values()}
        rest = [one for one in annotations if one.get("id") not in kept]
        gone = {id(one) for one in old} - keep_place.keys()
        entries = [
            keep_place.get(id(one), one) for one in self.content["annotations"] if id(one) not in gone
        ]  # fmt: skip
        self.content["annotations"] = [*entries, *rest]
        self.write()

    def write(self) -> None:
        """Write the file whole or not at all, in the layout that it had. Raises RunError."""
        before = self.file.read_bytes()
        write_bytes(self.file, laid_out_as(before, self.content))
        self.__init__(self.file)  # type: ignore[misc]  # what is known of the file is read from it again


def laid_out_as(before: bytes, content: Any) -> bytes:
    """JSON with the indentation, the separators, the escapes and the end of another file."""
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    head = before[:4096].decode("utf-8", "ignore")
    lines = re.search(r"[{\[]\r?\n([ \t]*)", head)
    is_ascii = rb"\u" in before and before[len(mark) :].isascii()
    if lines:
        text = json.dumps(content, indent=lines[1], ensure_ascii=is_ascii)
    else:
        separators = (", ", ": ") if '": ' in head else (",", ":")
        text = json.dumps(content, separators=separators, ensure_ascii=is_ascii)
    if b"\r\n" in before[:4096]:
        text = text.replace("\n", "\r\n")
    end = before[len(before.rstrip()) :]
    return mark + text.encode() + end


def edited(entry: Mapping[str, Any], category_id: Any, before: Corners | None, after: Corners) -> dict[str, Any]:
    """An annotation with another class or box. Polygons move and stretch with the box; a mask stays as it is."""
    made = {**entry, "category_id": category_id}
    if before == after:
        return made
    made["bbox"] = [_plain(value) for value in to_xywh(after)]
    if "area" in entry:
        made["area"] = _plain(made["bbox"][2] * made["bbox"][3])
    polygons = entry.get("segmentation")
    if before is not None and isinstance(polygons, list):
        made["segmentation"] = [_stretched(one, before, after) for one in polygons]
    return made


def new_entry(number: int, image_id: Any, category_id: Any, box: Corners) -> dict[str, Any]:
    """An annotation of a new object."""
    bbox = [_plain(value) for value in to_xywh(box)]
    area = _plain(bbox[2] * bbox[3])
    return {"id": number, "image_id": image_id, "category_id": category_id, "bbox": bbox, "area": area, "iscrowd": 0,
            "segmentation": []}  # fmt: skip


def _plain(value: float | int) -> float | int:
    """A whole number without a point."""
    return int(value) if value == int(value) else value


def _stretched(polygon: Any, before: Corners, after: Corners) -> Any:
    if not isinstance(polygon, list) or not all(isinstance(value, int | float) for value in polygon):
        return polygon
    moved = []
    for place, value in enumerate(polygon):
        low, high = before[place % 2], before[place % 2 + 2]
        share = (value - low) / (high - low)
        moved.append(after[place % 2] + share * (after[place % 2 + 2] - after[place % 2]))
    return moved
