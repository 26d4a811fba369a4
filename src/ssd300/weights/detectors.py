"""Which detector of another code a file holds, and in which of its dictionaries."""

from pathlib import Path

from ssd300.errors import WeightsError
from ssd300.system.wording import plural
from ssd300.weights.contents import Contents
from ssd300.weights.layouts import LAYOUTS, MAPS, OURS, Layout
from ssd300.weights.pickled import SAVE_TENSORS
from ssd300.weights.weight_sets import Choice, WeightSet, choose, find_sets

SCALE_LAYER = "norm4_3"  # it has a weight and no bias
SCALE = f"{OURS[SCALE_LAYER]}.weight"
OUR_LOGITS = frozenset(f"heads.logits.{i}.{kind}" for i in MAPS for kind in ("weight", "bias"))


def find_detector(contents: Contents, key: str | None, path: Path) -> tuple[Layout, Choice]:
    """The layout that fits most of the file's tensors, and the set of them that is taken.

    Raises WeightsError if there is no known layout, a tensor is missing, or no set is called `key`.
    """
    found = _detectors(contents)
    if not found:
        raise WeightsError(_unknown(contents), where=path, fix=_what_is_read(contents))
    whole = [(layout, one) for layout, one in found if len(one.names) == len(names_of(layout))]
    if not whole:
        layout, best = max(found, key=lambda pair: len(pair[1].names))
        missing = [name for name in names_of(layout).values() if name not in best.names]
        raise WeightsError(
            f"{len(missing)} of the {len(names_of(layout))} tensors of {layout.name} are missing, first "
            f"{best.place}{missing[0]}",
            where=path,
            fix="Name a complete checkpoint of SSD300-VGG16.",
        )
    order = {place: number for number, place in enumerate(contents.tensors)}
    whole.sort(key=lambda pair: min(order[name] for name in pair[1].names.values()))
    choice = choose([one for _, one in whole], key, path)
    return next(layout for layout, one in whole if one is choice.taken), choice


def _detectors(contents: Contents) -> list[tuple[Layout, WeightSet]]:
    """Where half of a layout's tensors are in the file, or more of them."""
    return [
        (layout, one)
        for layout in LAYOUTS
        for one in find_sets(contents, set(names_of(layout).values()))
        if len(one.names) >= len(names_of(layout)) // 2
    ]


def is_foreign_detector(contents: Contents) -> bool:
    """Whether the file holds a detector of another code, whole or with parts missing."""
    return bool(_detectors(contents))


def _unknown(contents: Contents) -> str:
    kind = f"this is {contents.kind}, and " if contents.kind else ""
    if _is_ours(contents):
        return f"{kind}the file holds weights of ssd300 already"
    some = ", ".join(sorted(contents.tensors)[:3])
    return f"{kind}the file has no known layout; it has {plural(len(contents.tensors), 'tensor')}, such as {some}"


def _what_is_read(contents: Contents) -> str:
    if _is_ours(contents):
        return "It needs no import: use a run's weights with --weights, or start a training from it with --init."
    known = f"Known: {', '.join(layout.name for layout in LAYOUTS)}. A backbone alone is for --init."
    return f"{known} {SAVE_TENSORS}" if contents.kind else known


def _is_ours(contents: Contents) -> bool:
    return any(len(one.names) == len(OUR_LOGITS) for one in find_sets(contents, OUR_LOGITS))


def names_of(layout: Layout) -> dict[str, str]:
    """The layout's name of each tensor of ours."""
    names: dict[str, str] = {}
    for layer, ours in OURS.items():
        if layer == SCALE_LAYER:
            names[SCALE] = layout.scale
        else:
            names |= {f"{ours}.{kind}": f"{layout.layers[layer]}.{kind}" for kind in ("weight", "bias")}
    return names
