"""Checkpoints of other SSD300 codes as a detector of ours.

`tensor_files` reads the tensors, `layouts` lists the names and conventions of each code, and `detectors` finds one of
them in the file. Here its tensors are converted to our conventions, by moving weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.model import SSD, ssd300_vgg16
from ssd300.model.default_boxes import DefaultBoxSettings, make_default_boxes
from ssd300.model.ssd import Normalization
from ssd300.weights.card import Card
from ssd300.weights.class_names import COCO_CLASSES, COCO_CLASSES_WITH_GAPS, ChosenNames, are_cocos, class_names
from ssd300.weights.contents import Contents
from ssd300.weights.detectors import SCALE, find_detector, names_of
from ssd300.weights.layouts import OURS, Layout
from ssd300.weights.tensor_files import load_tensors, read_contents
from ssd300.weights.weight_sets import TOP, Choice

BOXES_IN_FIRST_MAP = 4  # default boxes per cell
NO_WEIGHTS = ("default", "prior", "num_batches_tracked", "n_averaged")  # in names of tensors that are not weights
OWN_BOXES_TOLERANCE = 1e-4  # relative to the image


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """How a foreign file was read.

    `matched` pairs its tensor names with ours. `left_over` are tensors beside these that have no use here; default
    boxes and counters are not listed, nor what stands elsewhere in the file. `choice` is which of its weights were
    taken. `class_names` tells where the names are from. `notes` are sentences about this and about converted
    conventions.
    """

    layout: str
    choice: Choice
    class_names: ChosenNames
    matched: tuple[tuple[str, str], ...] = field(repr=False)
    left_over: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)


def import_weights(
    path: Path,
    *,
    key: str | None = None,
    classes: Sequence[str] | str | None = None,
    settings: DefaultBoxSettings | None = None,
    normalization: Normalization | None = None,
    bgr: bool | None = None,
) -> tuple[SSD, Card, ImportReport]:
    """The detector in a foreign checkpoint, in evaluation mode, and a card with the conventions of its code.

    `key` chooses one of several weights in the file, as `weight_sets.choose`. `settings`, `normalization` and `bgr`
    replace the conventions of the file's layout where the file differs from them. `classes` are names, or 'voc' or
    'coco'; without them `class_names` finds them, or numbers the classes.

    Raises:
        WeightsError: the file cannot be read or has no known layout; a layer is missing, has another shape or is not
            finite; it has no weights called `key`; the class names do not fit its outputs; or the file stores other
            default boxes.
    """
    contents = read_contents(path)
    layout, choice = find_detector(contents, key, path)
    names = {ours: choice.taken.names[foreign] for ours, foreign in names_of(layout).items()}
    tensors = load_tensors(contents, names.values(), path)
    num_classes = _count_classes(tensors[names["heads.logits.0.bias"]], path)
    chosen = class_names(num_classes, classes, contents, path)
    notes = [*choice.notes(), chosen.note()]
    if settings is None:
        settings = _default_boxes(layout, chosen, notes)
    model = ssd300_vgg16(num_classes, settings=settings, normalization=normalization or layout.normalization)
    state = _matched_tensors(names, tensors, model, path)
    notes += _convert(state, layout, bgr=layout.bgr if bgr is None else bgr)
    model.load_state_dict(state)
    beside = sorted(_beside(choice, contents) - set(names.values()))
    priors = [name for name in beside if "prior" in name.lower()]
    _check_stored_boxes(load_tensors(contents, priors, path), settings, path)
    card = Card(
        model="ssd300_vgg16",
        classes=chosen.names,
        settings=settings,
        normalization=model.normalization,
        resize=layout.resize,
        clip_boxes=layout.clip_boxes,
        source={"imported_from": path.name, "layout": layout.name, **choice.facts(), "class_names": chosen.origin},
    )
    report = ImportReport(
        layout=layout.name,
        choice=choice,
        class_names=chosen,
        matched=tuple((foreign, ours) for ours, foreign in names.items()),
        left_over=tuple(filter(_may_be_weights, beside)),
        notes=tuple(notes),
    )
    return model.eval(), card, report


def _default_boxes(layout: Layout, chosen: ChosenNames, notes: list[str]) -> DefaultBoxSettings:
    """Those of the layout; for the number of COCO's classes those for COCO, with a note where that was a guess."""
    if layout.coco_settings is None or len(chosen.names) not in (len(COCO_CLASSES), len(COCO_CLASSES_WITH_GAPS)):
        return layout.settings
    if not are_cocos(chosen.names):
        notes.append("default boxes: those for COCO, as it has as many classes; --default-boxes chooses others")
    return layout.coco_settings


def _beside(choice: Choice, contents: Contents) -> set[str]:
    """The tensors of the dictionary that the weights were taken from, except for those of the other sets in it."""
    key = f"{choice.taken.key}." if choice.taken.key else ""
    inner = [f"{one}." for one in contents.keys if one and one != choice.taken.key and one.startswith(key)]
    others = tuple(f"{name}." for name in choice.others if name != TOP)
    elsewhere = (*others, *inner)
    return {name for name in contents.tensors if name.startswith(key) and not name.startswith(elsewhere)}


def _count_classes(bias: Tensor, path: Path) -> int:
    """The number of classes without background, from the class outputs of the first map."""
    outputs, rest = divmod(len(bias), BOXES_IN_FIRST_MAP)
    if rest or outputs < 2:
        raise WeightsError(
            f"{len(bias)} class outputs do not fit {BOXES_IN_FIRST_MAP} default boxes per cell",
            where=path,
            fix="Name a checkpoint of SSD300-VGG16.",
        )
    return outputs - 1


def _matched_tensors(
    names: Mapping[str, str], tensors: Mapping[str, Tensor], model: SSD, path: Path
) -> dict[str, Tensor]:
    """The file's tensors under our names, in float32. Raises WeightsError for another shape or values not finite."""
    wanted = model.state_dict()
    state = {}
    for ours, foreign in names.items():
        value = tensors[foreign].float()
        value = value.reshape(-1) if ours == SCALE else value
        if value.shape != wanted[ours].shape:
            raise WeightsError(
                f"{foreign} has shape {tuple(value.shape)} where {tuple(wanted[ours].shape)} is needed",
                where=path,
                fix="This is another network than SSD300-VGG16, or has other default boxes per cell.",
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"{foreign} holds values that are not finite", where=path, fix="Use another checkpoint.")
        state[ours] = value
    return state


def _convert(state: dict[str, Tensor], layout: Layout, *, bgr: bool) -> list[str]:
    """Put colors and coordinates into our order, in `state` itself, and return notes. Values move and stay equal."""
    notes = []
    if bgr:
        first = f"{OURS['conv1_1']}.weight"
        state[first] = state[first].flip(1)
        notes.append("the network was trained on BGR: the inputs of its first convolution are reversed")
    if layout.offsets_yx:
        for name in (name for name in state if name.startswith("heads.offsets.")):
            rows = state[name].reshape(-1, 4, *state[name].shape[1:])
            state[name] = rows[:, [1, 0, 3, 2]].reshape(state[name].shape)
        notes.append("box offsets were (y, x, height, width): their outputs are reordered")
    return notes


def _may_be_weights(name: str) -> bool:
    return not any(part in name.lower() for part in NO_WEIGHTS)


def _check_stored_boxes(tensors: Mapping[str, Tensor], settings: DefaultBoxSettings, path: Path) -> None:
    """Raise WeightsError if the file stores other default boxes. Pickled models of sgrvinod's code store them."""
    ours = make_default_boxes(settings)
    for name, value in tensors.items():
        if "prior" in name.lower() and value.shape == ours.shape:
            difference = float((value.float() - ours).abs().max())
            if difference > OWN_BOXES_TOLERANCE:
                raise WeightsError(
                    f"its default boxes ({name}) differ by up to {difference:.3g} from those that it would be used "
                    "with",
                    where=path,
                    fix="Name its setting with --default-boxes.",
                )
