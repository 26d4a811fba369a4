"""The names of splits as people write them, and which split serves which purpose: one rule for every format."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from ssd300.data.choices import Purpose
from ssd300.errors import DataError

Role = Literal["trainval", "train", "val", "test"]
WHOLE = "all"  # the name of the only split of data that is not split

_SPELLINGS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        "trainval": ("trainval", "trainvalid", "trainvalidation"),
        "train": ("train", "training", "trn"),
        "val": ("val", "valid", "validation", "validate", "dev", "eval", "evaluation", "holdout", "heldout"),
        "test": ("test", "testing", "tst", "testdev"),
    }
)
_WORDS: Mapping[str, Role] = MappingProxyType({word: role for role, words in _SPELLINGS.items() for word in words})
# Parts of a name that say nothing of its role.
_FILLERS = frozenset(("coco", "instances", "annotations", "annotation", "images", "image", "list", "lists", "set",
                      "split", "data", "dataset", "labels", "voc", "yolo", "instance", "zip"))  # fmt: skip
ORDER: tuple[Role | None, ...] = ("trainval", "train", "val", "test", None)
PREFERRED: Mapping[Purpose, tuple[Role, ...]] = MappingProxyType(
    {"train": ("trainval", "train"), "test": ("test", "val")}
)


class UnusableSplitError(DataError):
    """A split is absent, empty, or without labels; callers catch it to take another one, or to do without."""


def role_of(name: str) -> Role | None:
    """What a split of this name is for: 'Train', 'training', 'coco_train' and 'train2017' are one; None if unknown."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    words = [re.sub(r"\d{4}$", "", word) for word in re.split(r"[^a-z0-9]+", plain)]
    words = [word for word in words if word and word not in _FILLERS]
    joined = "".join(words)
    for filler in ("set", "split", "list"):  # "trainset"
        joined = joined.removesuffix(filler)
    return _WORDS.get(joined)


def in_order(names: Iterable[str]) -> list[str]:
    """Splits to train on first, then those to measure on, then others; of one kind by name, the usual names first."""
    return sorted(names, key=lambda name: (ORDER.index(role_of(name)), name.casefold() not in ORDER, name))


def candidates(names: Sequence[str], purpose: Purpose) -> list[str]:
    """The splits that serve the purpose, the preferred ones first; the only one of data that has no other."""
    found = [name for role in PREFERRED[purpose] for name in names if role_of(name) == role]
    if not found and len(names) == 1 and (purpose == "test" or role_of(names[0]) not in ("test", "val")):
        return list(names)
    if not found and purpose == "train":  # beside a test or val split, the only other one
        others = [name for name in names if role_of(name) is None]
        return others if len(others) == 1 else []
    return found


def has_held_out(names: Iterable[str]) -> bool:
    """Whether there is a split to measure on, by its name."""
    return any(role_of(name) in PREFERRED["test"] for name in names)


def find_split(names: Sequence[str], wanted: str) -> str | None:
    """The split of this name; if there is none, the only one whose name differs by case or is for the same."""
    if wanted in names:
        return wanted
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    role = role_of(wanted)
    alike = alike or [name for name in names if role is not None and role_of(name) == role]
    return alike[0] if len(alike) == 1 else None


def may_be_part(name: str, whole: str) -> bool:
    """Whether all images of a split may lie in another one. Not those to measure on among those to train on, which is a
    fault, but for VOC's val in its trainval; and a split that is named as usual is no part of one that is not.
    """
    role, other = role_of(name), role_of(whole)
    if role == other:
        return role is not None  # other annotations of the same images
    return (other == "trainval" and role in ("train", "val")) or {role, other} == {"val", "test"}


def purpose_words(purpose: Purpose) -> str:
    return " or ".join(PREFERRED[purpose])
