"""Class names of foreign checkpoints, of which most store only the number of their outputs.

Names are never guessed from that number: they come from the user, from the file, or from the name under which it was
published. Else classes are numbered.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ssd300.data.class_lists import numbered, repeated
from ssd300.data.classes import is_background
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.errors import WeightsError
from ssd300.system.wording import plural
from ssd300.weights.contents import Contents, plain

# As in the annotations of COCO 2017: ids 1 to 90, of which ten are not used.
COCO_CLASSES_WITH_GAPS = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "unused 12", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep",
    "cow", "elephant", "bear", "zebra", "giraffe", "unused 26", "backpack", "umbrella", "unused 29", "unused 30",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat",
    "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "unused 45", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza",
    "donut", "cake", "chair", "couch", "potted plant", "bed", "unused 66", "dining table", "unused 68", "unused 69",
    "toilet", "unused 71", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "unused 83", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
    "toothbrush",
)  # fmt: skip
COCO_CLASSES = tuple(name for name in COCO_CLASSES_WITH_GAPS if not name.startswith("unused"))
LISTS: Mapping[str, Sequence[Sequence[str]]] = {"voc": (VOC_CLASSES,), "coco": (COCO_CLASSES, COCO_CLASSES_WITH_GAPS)}

# Names under which checkpoints with these classes were published, of files or of Caffe's networks.
_PUBLISHED = (
    ("voc", r"ssd300_mAP_77\.43_v2|vgg_ssd300_voc0712|ssd300_voc0712_converted|VGG_VOC0?7\w*_SSD_300x300"),
    ("coco", r"ssd300_vgg16_coco|vgg_ssd300_coco_trainval35k|VGG_coco_SSD_300x300"),
)


@dataclass(frozen=True, kw_only=True)
class ChosenNames:
    """The class names of a checkpoint, and where they are from, such as "from --classes"."""

    names: tuple[str, ...]
    origin: str
    are_numbers: bool = False

    def note(self) -> str:
        shown = ", ".join(self.names[:3]) + (", …" if len(self.names) > 3 else "")
        return f"class names: {shown}, {self.origin}"


def class_names(count: int, given: Sequence[str] | str | None, contents: Contents, where: object) -> ChosenNames:
    """The names of `count` classes: those `given`, which may be the name of one of `LISTS`; else the file's own.

    Raises WeightsError if the names that are given, or those in the file, are not right for so many classes.
    """
    if given is not None:
        return _given(count, given, where)
    stored = _stored(count, contents, where)
    if stored is not None:
        return stored
    for name, pattern in _PUBLISHED:
        if re.search(pattern, contents.title) and (names := _of_list(name, count)):
            origin = f"{name.upper()}'s, as '{contents.title}' is a published name; --classes FILE has others"
            return ChosenNames(names=names, origin=origin)
    known = next((f" or {name}" for name in LISTS if _of_list(name, count)), "")
    origin = f"numbered, as the file has no names; --classes FILE{known} names them"
    return ChosenNames(names=numbered(count), origin=origin, are_numbers=True)


def are_cocos(names: Sequence[str]) -> bool:
    return tuple(names) in {tuple(one) for one in LISTS["coco"]}


def _given(count: int, given: Sequence[str] | str, where: object) -> ChosenNames:
    names = tuple(_of_list(given, count) or LISTS[given][0] if isinstance(given, str) else given)
    if len(names) != count:
        raise WeightsError(
            f"the file has {count + 1} outputs, including background, and --classes has {len(names)} names",
            where=where,
            fix=f"Give {plural(count, 'name')}, one per line in the order of the outputs, with --classes FILE.",
        )
    return ChosenNames(names=names, origin=f"{given.upper()}'s, by --classes" if isinstance(given, str) else "given")


def _of_list(name: str, count: int) -> tuple[str, ...]:
    return next((tuple(names) for names in LISTS[name] if len(names) == count), ())


def _stored(count: int, contents: Contents, where: object) -> ChosenNames | None:
    """The first list of the file that has a name for each class. Raises WeightsError if it has a name twice."""
    for place, value in contents.class_lists.items():
        names = _in_order(value)
        if len(names) == count + 1 and is_background(names[0].strip("_")):
            names = names[1:]
        if len(names) == count:
            if (twice := repeated(names)) is not None:
                raise WeightsError(
                    f"its class names ('{place}') have '{twice}' twice",
                    where=where,
                    fix=f"Give {plural(count, 'name')} with --classes FILE, one per line in the order of the outputs.",
                )
            return ChosenNames(names=tuple(names), origin=f"from '{place}' in the file")
    return None


def _in_order(value: Any) -> list[str]:
    """Names in a value of a file: a list, a text with commas or lines, or numbers by name or names by number."""
    value = plain(value)
    if isinstance(value, str):
        value = value.split("\n" if "\n" in value else ",")
    if isinstance(value, Mapping):
        if all(isinstance(number, int) for number in value.values()):
            value = {number: name for name, number in value.items()}
        numbers = {int(key): name for key, name in value.items() if re.fullmatch(r"\d+", str(key))}
        if len(numbers) != len(value) or sorted(numbers) not in (
            list(range(len(numbers))),
            list(range(1, len(numbers) + 1)),
        ):
            return []
        value = [name for _, name in sorted(numbers.items())]
    if not isinstance(value, (list, tuple)):
        return []
    names = [one.get("name") if isinstance(one, Mapping) else one for one in map(plain, value)]
    named = [name.strip() for name in names if isinstance(name, str) and name.strip()]
    return named if len(named) == len(names) else []
