"""Which classes a dataset has, and which spellings are one: case and spaces do not tell classes apart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ssd300.data.dataset import fold
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.problems import Fault, Problem
from ssd300.errors import DataError
from ssd300.system.wording import counted

BACKGROUND = "background"


@dataclass(frozen=True)
class ClassNames:
    """The classes in order, and what to report. `usual` is the class of each folded name."""

    classes: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def usual(self) -> Mapping[str, str]:
        return {fold(name): name for name in self.classes}


def is_background(name: str) -> bool:
    """Whether a name means what no class is: 'background', 'Background', labelme's '_background_'."""
    return fold(name).strip("_ ") == BACKGROUND


def choose_classes(listed: Sequence[str] | None, counts: Mapping[str, int], *, where: str) -> ClassNames:
    """The classes that are `listed`, on the command line or in the data; without a list those of the objects: VOC's 20
    if every name is one of them, else all in sorted order. `counts` are the names of objects as they are written.

    Raises:
        DataError: objects are of a class called background, or no class is left.
    """
    names, problems = _without_background(listed, counts, where)
    if listed is not None:
        chosen = list(_first_spellings(names).values())
    else:
        chosen = list(usual_names((), counts).values())
        if set(chosen) <= set(VOC_CLASSES):
            chosen = list(VOC_CLASSES)
        else:
            chosen.sort()
    if not chosen:  # of a list
        raise DataError(
            "there is no class: no object has a name", where=where, fix="Annotate objects, or give --classes."
        )
    return ClassNames(tuple(chosen), tuple(problems))


def usual_names(listed: Iterable[str], counts: Mapping[str, int]) -> dict[str, str]:
    """The name of each class by its folded name: the first spelling that is listed; else the most frequent one."""
    others = {key: _most_frequent(names, counts) for key, names in _alike(counts).items()}
    return _first_spellings(listed) | {
        key: name for key, name in others.items() if key not in {fold(name) for name in listed}
    }


def _without_background(
    listed: Sequence[str] | None, counts: Mapping[str, int], where: str
) -> tuple[list[str], list[Problem]]:
    used = sum(count for name, count in counts.items() if is_background(name))
    if used:
        raise DataError(
            counted(used, "{object is|objects are} of a class called background"),
            where=where,
            fix="Rename the class; what no class covers is background in every model.",
        )
    dropped = [name for name in listed or () if is_background(name)]
    what = "the class '{}' has no objects and is dropped; every model has a background already"
    problems = [Fault("background-class", what.format(name)).at("") for name in dropped]
    return [name for name in listed or () if name not in dropped], problems


def _first_spellings(names: Iterable[str]) -> dict[str, str]:
    """Of names that are one class the first, by what they have in common."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(fold(name), name.strip())
    return first


def _alike(counts: Mapping[str, int]) -> Mapping[str, list[str]]:
    """The names as they are written, by what they have in common."""
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(fold(name), []).append(name)
    return groups


def _most_frequent(names: Sequence[str], counts: Mapping[str, int]) -> str:
    """The most frequent spelling, of equal ones the first in sorted order; without outer spaces."""
    trimmed = Counter[str]()
    for name in names:
        trimmed[name.strip()] += counts[name]
    return min(trimmed, key=lambda name: (-trimmed[name], name))
