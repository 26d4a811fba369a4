"""Checkpoints of other SSD300 codes as a detector of ours.

`tensor_files` reads the tensors, and `layouts` lists the names and conventions of each code. Here they are matched with
our layers, one by one, and converted to our conventions by moving weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.errors import WeightsError
from ssd300.model import SSD, ssd300_vgg16
from ssd300.model.default_boxes import DefaultBoxSettings, make_default_boxes
from ssd300.model.ssd import Normalization
from ssd300.weights.class_names import NAMES_BY_COUNT
from ssd300.weights.format import Card
from ssd300.weights.layouts import LAYOUTS, OURS, Layout
from ssd300.weights.tensor_files import read_tensors

SCALE_LAYER = "norm4_3"  # it has a weight and no bias
SCALE = f"{OURS[SCALE_LAYER]}.weight"
BOXES_IN_FIRST_MAP = 4  # default boxes per cell
NO_WEIGHTS = ("default", "prior", "num_batches_tracked")  # in names of tensors that are not weights
OWN_BOXES_TOLERANCE = 1e-4  # relative to the image


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """How a foreign file was read.

    `matched` pairs its tensor names with ours. `left_over` are its tensors that have no use here; default boxes and
    counters of batches are not listed. `notes` are sentences about converted conventions.
    """

    layout: str
    matched: tuple[tuple[str, str], ...] = field(repr=False)
    left_over: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)


def import_weights(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    settings: DefaultBoxSettings | None = None,
    normalization: Normalization | None = None,
    bgr: bool | None = None,
) -> tuple[SSD, Card, ImportReport]:
    """The detector in a foreign checkpoint, in evaluation mode, and a card with the conventions of its code.

    `settings`, `normalization` and `bgr` replace the conventions of the file's layout where the file differs from
    them. Without `classes` the number of outputs gives the names: 21 are VOC's, 81 COCO's, 91 COCO's with the gaps of
    its ids.

    Raises:
        WeightsError: the file cannot be read or has no known layout; a layer is missing, has another shape or is not
            finite; the number of classes has no known names; or the file stores other default boxes.
    """
    tensors = read_tensors(path)
    layout = _recognize(tensors, path)
    names = _matched_names(layout, tensors, path)
    num_classes = _count_classes(tensors[names["heads.logits.0.bias"]], path)
    chosen = _class_names(num_classes, classes, path)
    if settings is None:
        coco = classes is None and chosen != tuple(VOC_CLASSES)
        settings = (layout.coco_settings if coco else None) or layout.settings
    model = ssd300_vgg16(num_classes, settings=settings, normalization=normalization or layout.normalization)
    state = _matched_tensors(names, tensors, model, path)
    notes = _convert(state, layout, bgr=layout.bgr if bgr is None else bgr)
    model.load_state_dict(state)
    _check_stored_boxes(tensors, settings, path)
    card = Card(
        model="ssd300_vgg16",
        classes=chosen,
        settings=settings,
        normalization=model.normalization,
        resize=layout.resize,
        clip_boxes=layout.clip_boxes,
        source={"imported_from": path.name, "layout": layout.name},
    )
    used = set(names.values())
    report = ImportReport(
        layout=layout.name,
        matched=tuple((foreign, ours) for ours, foreign in names.items()),
        left_over=tuple(sorted(name for name in tensors if name not in used and _may_be_weights(name))),
        notes=tuple(notes),
    )
    return model.eval(), card, report


def _recognize(tensors: Mapping[str, Tensor], path: Path) -> Layout:
    """The layout that has most of its layers in the file."""

    def matches(layout: Layout) -> int:
        return sum(f"{prefix}.weight" in tensors for prefix in layout.layers.values())

    best = max(LAYOUTS, key=matches)
    if matches(best) < len(best.layers) // 2:
        some = ", ".join(sorted(tensors)[:3])
        raise WeightsError(
            f"the file has no known layout; it has {len(tensors)} tensors, such as {some}",
            where=path,
            fix=f"Known: {', '.join(layout.name for layout in LAYOUTS)}. A backbone alone is for --init.",
        )
    return best


def _matched_names(layout: Layout, tensors: Mapping[str, Tensor], path: Path) -> dict[str, str]:
    """The file's name of each tensor of ours. Raises WeightsError if one is missing."""
    names: dict[str, str] = {}
    for layer, ours in OURS.items():
        if layer == SCALE_LAYER:
            names[SCALE] = layout.scale
        else:
            names |= {f"{ours}.{kind}": f"{layout.layers[layer]}.{kind}" for kind in ("weight", "bias")}
    missing = [foreign for foreign in names.values() if foreign not in tensors]
    if missing:
        raise WeightsError(
            f"{len(missing)} of the {len(names)} tensors of {layout.name} are missing, first {missing[0]}",
            where=path,
            fix="Name a complete checkpoint of SSD300-VGG16.",
        )
    return names


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


def _class_names(num_classes: int, classes: Sequence[str] | None, path: Path) -> tuple[str, ...]:
    names = tuple(NAMES_BY_COUNT.get(num_classes, ()) if classes is None else classes)
    if len(names) != num_classes:
        raise WeightsError(
            f"the file has {num_classes + 1} outputs, including background, and {len(names)} class names are known",
            where=path,
            fix=f"Give a file of {num_classes} names, one per line in the order of the outputs, with --classes.",
        )
    return names


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
