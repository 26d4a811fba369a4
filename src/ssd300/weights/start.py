"""The weights that a new detector starts from: an ImageNet backbone, or a detector.

A start fills all that its source has for the model, and reports which layers were filled and which stay randomly
initialized. A source that has nothing for the model, or a hole in it, is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.model import SSD
from ssd300.model.backbone import VGG16, TimmBackbone
from ssd300.weights.card import Card
from ssd300.weights.class_rows import LOGITS, ClassMatch, match_names, match_places, take_rows
from ssd300.weights.foreign import import_weights
from ssd300.weights.format import is_ours, read_card_file, read_weights_file
from ssd300.weights.imagenet import Source, fill_from_timm_file, fill_imagenet
from ssd300.weights.start_boxes import warn_of_other_boxes
from ssd300.weights.start_file import IMAGENET, start_file
from ssd300.weights.start_tensors import NEW_HEADS, new_parts, read_start, whole_parts
from ssd300.weights.vgg16_layers import Vgg16Layers, find_vgg16_layers

FIRST_LAYER = "conv1_1"
NOTHING_TAKEN = "classes: the file has no names and another number of classes; all class outputs are new"
OTHER_HEADS = "classes: the heads are new, so no class continues one of the file"
OFFSETS = "heads.offsets."


@dataclass(frozen=True, kw_only=True)
class Start:
    """The source, the names of the layers that it filled, and of those that stay randomly initialized.

    A layer of class outputs is filled if it has the outputs of any class of the source. `classes` tells which it has;
    None if there is none, and nothing to say about it: the source has no class outputs. `notes` say which weights of
    the file were taken, where that is not plain.
    """

    source: str
    filled: tuple[str, ...]
    random: tuple[str, ...]
    classes: str | None = None
    notes: tuple[str, ...] = ()


def initialize(model: SSD, init: str, classes: Sequence[str] | None = None, key: str | None = None) -> Start:
    """Fill a new detector from `init`, in place, and set the normalization that these weights were trained with.

    `classes` are the names of the detector's classes, None where they have none. `key` chooses one of several weights
    in a file, as `weight_sets.choose` does.

    `init` is one of
    - "none": nothing is filled, and the normalization stays;
    - "imagenet", for a backbone of timm: the backbone, see `imagenet`;
    - a detector of another code that `import_weights` reads, with the class names that it finds: as one of ours;
    - a file with VGG16's convolutions (see `vgg16_layers`), or its first ones; or, for a backbone of timm, with the
      network's weights in timm's names: the backbone;
    - a run folder, which stands for its best weights;
    - a weights file of ours, with the same backbone: every part of the same names and shapes, heads included, so of a
      detector without a pyramid or with other heads the backbone alone; of the class outputs those of background and
      of the classes of the same name, wherever they are in the list. Without names on both sides, the class outputs
      are taken by place if their numbers are equal;
    - a name of `named`, which may be downloaded, unless a file has that name.

    Raises:
        WeightsError: the named weights cannot be downloaded; or the file cannot be read, is for another backbone,
            lacks a layer, or has one of another shape.
    """
    if init == "none":
        return _start(model, "none", set())
    if init == IMAGENET and isinstance(model.backbone, TimmBackbone):
        return _body_filled(model, fill_imagenet(model, model.backbone))
    path = start_file(init)
    found = read_start(path, model.state_dict(), key)
    if found.are_ours:
        card = read_card_file(path) if is_ours(path) else None
        given = found.tensors if card is None else dict(read_weights_file(path)[0].state_dict())
        start = _fill_from_detector(model, path, given, card, classes)
        return replace(start, notes=(*found.notes, *start.notes))
    if found.is_foreign:
        detector, card, report = import_weights(path, key=key)
        start = _fill_from_detector(
            model, path, detector.state_dict(), card, classes, has_names=not report.class_names.are_numbers
        )
        return replace(start, notes=(f"the file is of {report.layout}", *report.notes, *start.notes))
    if isinstance(model.backbone, TimmBackbone):
        return _body_filled(model, fill_from_timm_file(model, model.backbone, path, key))
    assert isinstance(model.backbone, VGG16)
    return replace(_fill_vgg16(model, model.backbone, found.tensors, path), notes=found.notes)


def _fill_vgg16(model: SSD, backbone: VGG16, tensors: Mapping[str, Tensor], path: Path) -> Start:
    found = find_vgg16_layers(tensors)
    modules = {
        name.rsplit(".", 1)[-1]: module
        for name, module in backbone.named_modules()
        if isinstance(module, torch.nn.Conv2d)
    }
    _check_no_gap(list(modules), found, path)
    for layer, (weight, bias) in found.layers.items():
        module = modules[layer]
        if weight.shape != module.weight.shape or module.bias is None or bias.shape != module.bias.shape:
            raise WeightsError(
                f"{layer} has shape {tuple(weight.shape)} where {tuple(module.weight.shape)} is needed", where=path
            )
        with torch.no_grad():
            module.weight.copy_(weight)
            module.bias.copy_(bias)
    model.set_normalization(found.normalization)
    return _start(model, str(path), {id(modules[layer]) for layer in found.layers})


def _check_no_gap(order: list[str], found: Vgg16Layers, path: Path) -> None:
    """Raise WeightsError unless the file holds the first layers of `order`, all of them up to some layer.

    A file that ends early is a partial start; a missing layer before others is a mistake.
    """
    missing = next((layer for layer in order if layer not in found.layers), None)
    if missing is None:
        return
    later = [layer for layer in found.layers if order.index(layer) > order.index(missing)]
    if missing == FIRST_LAYER or later:
        raise WeightsError(
            f"the layer {missing} of VGG16 is missing" + (f", but {later[0]} is there" if later else ""),
            where=path,
            fix="--init reads torchvision's vgg16 (or its features), vgg16_reducedfc.pth, or their first layers.",
        )


def _fill_from_detector(
    model: SSD, path: Path, given: Mapping[str, Tensor], card: Card | None, classes: Sequence[str] | None, *,
    has_names: bool = True,
) -> Start:  # fmt: skip
    """From a detector's tensors by our names; without a card nothing says its classes and its normalization.

    `has_names`: the classes of the card have names that mean something.
    """
    _check_same_backbone(model, given, card, path)
    state = model.state_dict()
    fits = {
        name: tensor
        for name, tensor in given.items()
        if name in state and state[name].shape == tensor.shape and not name.startswith(LOGITS)
    }
    match = _match_classes(model, given, card if has_names else None, classes)
    if match is not None:
        count = model.num_classes if card is None else len(card.classes)
        fits |= take_rows(state, given, match, (model.num_classes + 1, count + 1))
    fits = whole_parts(fits, state)
    model.load_state_dict(state | fits)
    if card is not None:
        model.set_normalization(card.normalization)
        if any(name.startswith(OFFSETS) for name in fits):
            warn_of_other_boxes(model.settings, card.settings, path)
    layers = {name.rsplit(".", 1)[0] for name in fits if match is None or match.rows or not name.startswith(LOGITS)}
    start = _start(model, str(path), {id(module) for name, module in model.named_modules() if name in layers})
    if new := new_parts(fits, state):
        of = card.model if card else "another detector"
        start = replace(start, notes=(f"the file is of {of}; new and random are {', '.join(new)}",))
    if NEW_HEADS in new:
        return replace(start, classes=OTHER_HEADS)
    return replace(start, classes=NOTHING_TAKEN if match is None else match.describe())


def _check_same_backbone(model: SSD, given: Mapping[str, Tensor], card: Card | None, path: Path) -> None:
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items() if name.startswith("backbone.")}
    faults = [f"{name} is missing, or has another shape" for name, shape in wanted.items()
              if name not in given or given[name].shape != shape]  # fmt: skip
    # A deeper network of the same family has all layers of this one, and more between them.
    faults += [f"{name} is too much" for name in given if name.startswith("backbone.") and name not in wanted]
    if faults:
        what = f"the file holds {card.architecture.describe()}" if card else faults[0]
        fix = f"Train with {card.architecture.options}." if card else "Train with the --model that the file is of."
        raise WeightsError(what, where=path, fix=fix)


def _match_classes(
    model: SSD, given: Mapping[str, Tensor], card: Card | None, classes: Sequence[str] | None
) -> ClassMatch | None:
    """None if no class output can be taken: nothing names the classes, and their numbers differ."""
    if card is not None and classes is not None:
        return match_names(classes, card.classes)
    same = all(
        given[name].shape == tensor.shape
        for name, tensor in model.state_dict().items()
        if name.startswith(LOGITS) and name in given
    )
    return match_places(model.num_classes) if same else None


def _body_filled(model: SSD, source: Source) -> Start:
    filled = {id(module) for module in model.backbone.get_submodule("body").modules()}
    return replace(_start(model, source.name, filled), notes=source.notes)


def _start(model: SSD, source: str, filled: set[int]) -> Start:
    """`filled` are the ids of the modules that were filled; modules without parameters are not listed."""
    layers = [(name, module) for name, module in model.named_modules() if list(module.parameters(recurse=False))]
    return Start(
        source=source,
        filled=tuple(name for name, module in layers if id(module) in filled),
        random=tuple(name for name, module in layers if id(module) not in filled),
    )
