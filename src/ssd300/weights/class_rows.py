"""The class outputs of a detector's heads as rows, one for a class and box of a cell: taken over class by class.

A class is the same in two detectors if they give it the same name, in whatever case and with whatever spaces. Its place
in the list means nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ssd300.data.dataset import fold

LOGITS = "heads.logits."
SHOWN_CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class ClassMatch:
    """Which class of a file each class of a new detector continues: `rows` are pairs of places, new and old.

    `matched` are the names of these classes; `new` those that start as in a new head, `unused` those of the file that
    the detector does not have. `by_place`: the file has no names.
    """

    rows: tuple[tuple[int, int], ...]
    matched: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    by_place: bool = False

    def describe(self) -> str:
        """What was taken over and what not, as a line of the log."""
        if self.by_place:
            return f"classes: the file has no names; its {len(self.rows)} classes are taken by their places in the list"
        parts = [f"classes: {len(self.rows)} of {len(self.rows) + len(self.new)} continue those of the file"]
        if self.matched:
            parts[0] += f", by name ({_listed(self.matched)})"
        for what, names in (("new", self.new), ("left out of the file", self.unused)):
            if names:
                parts.append(f"{what}: {len(names)} ({_listed(names)})")
        return "; ".join(parts)


def match_names(classes: Sequence[str], of_file: Sequence[str]) -> ClassMatch:
    """By equal names, else by names that differ in case and spaces alone and are the only such ones of the file."""
    places, folded = {name: place for place, name in enumerate(of_file)}, dict(_unique_folded(of_file))
    found = {new: places.get(name, folded.get(fold(name))) for new, name in enumerate(classes)}
    rows = tuple((new, old) for new, old in found.items() if old is not None)
    used = {old for _, old in rows}
    return ClassMatch(
        rows=rows,
        matched=tuple(classes[new] for new, _ in rows),
        new=tuple(name for new, name in enumerate(classes) if found[new] is None),
        unused=tuple(name for old, name in enumerate(of_file) if old not in used),
    )


def match_places(num_classes: int) -> ClassMatch:
    return ClassMatch(rows=tuple((place, place) for place in range(num_classes)), by_place=True)


def take_rows(
    state: Mapping[str, Tensor], given: Mapping[str, Tensor], match: ClassMatch, num_logits: tuple[int, int]
) -> dict[str, Tensor]:
    """The class outputs of `state` with those of `given` in the rows of background and of the matched classes.

    `num_logits` are those of both, new and old, with background, which is first. Outputs of a map for which the two
    have other numbers of boxes or other inputs are left out.
    """
    taken = {}
    rows = ((0, 0), *((new + 1, old + 1) for new, old in match.rows))
    for name, tensor in state.items():
        if not name.startswith(LOGITS) or name not in given:
            continue
        new, old = (
            one.reshape(-1, count, *one.shape[1:])  # boxes of a cell, classes, …
            for one, count in zip((tensor, given[name]), num_logits, strict=True)
        )
        if (new.shape[0], *new.shape[2:]) == (old.shape[0], *old.shape[2:]):
            new = new.clone()
            for to, of in rows:
                new[:, to] = old[:, of]
            taken[name] = new.flatten(0, 1)
    return taken


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_CLASSES]) + (", …" if len(names) > SHOWN_CLASSES else "")


def _unique_folded(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    folded = [fold(name) for name in names]
    return ((name, place) for place, name in enumerate(folded) if folded.count(name) == 1)
