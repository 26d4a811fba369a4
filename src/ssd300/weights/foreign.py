"""Checkpoints of other SSD300 codes as ours, every layer accounted for.

The files are read by `pickled`, `caffemodel` or numpy, none of which runs anything; `layouts` says what their names
and conventions are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.errors import WeightsError
from ssd300.model import SSD, ssd300_vgg16
from ssd300.model.default_boxes import DefaultBoxSettings, make_default_boxes
from ssd300.model.ssd import Normalization
from ssd300.weights.caffemodel import read_caffemodel
from ssd300.weights.class_names import COCO_CLASSES, COCO_CLASSES_WITH_GAPS
from ssd300.weights.format import Card
from ssd300.weights.layouts import LAYOUTS, OURS, Layout
from ssd300.weights.pickled import read_pickled

SUFFIXES = ".pth .pt .tar .pkl .safetensors .caffemodel .npz"
NAMES_BY_COUNT: Mapping[int, Sequence[str]] = {
    len(names): names for names in (VOC_CLASSES, COCO_CLASSES, COCO_CLASSES_WITH_GAPS)
}
KNOWN_EXTRAS = ("default", "prior", "num_batches_tracked")  # of tensors that are no weights
OWN_BOXES_TOLERANCE = 1e-4  # relative to the image
SCALE = f"{OURS['norm4_3']}.weight"


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of a foreign file. `matched` pairs its names with ours; `left_over` are its tensors without a use."""

    layout: str
    matched: tuple[tuple[str, str], ...]
    left_over: tuple[str, ...]
    notes: tuple[str, ...]


def import_weights(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    settings: DefaultBoxSettings | None = None,
    normalization: Normalization | None = None,
    bgr: bool | None = None,
) -> tuple[SSD, Card, ImportReport]:
    """The detector in a foreign checkpoint, with a card of its conventions; each may be given where a file differs.

    Class names follow from the number of outputs: 21 are VOC's, 81 COCO's, 91 COCO's with the gaps of its ids.

    Raises:
        WeightsError: the file cannot be read or is of no known layout, a layer is missing or of another shape, or the
            number of classes has no names.
    """
    tensors = read_foreign(path)
    layout = _recognise(tensors, path)
    names = {ours: _foreign_name(layout, name, ours) for name, ours in _tensor_names()}
    missing = [foreign for foreign in names.values() if foreign not in tensors]
    if missing:
        raise WeightsError(
            f"{len(missing)} of the {len(names)} tensors of {layout.name} are missing, first {missing[0]}",
            where=path,
            fix="Name a whole checkpoint of SSD300-VGG16.",
        )
    num_classes = _count_classes(tensors[names["heads.logits.0.bias"]], path)
    chosen = tuple(classes) if classes is not None else tuple(NAMES_BY_COUNT.get(num_classes, ()))
    if len(chosen) != num_classes:
        raise WeightsError(
            f"the file has {num_classes + 1} outputs, background among them, and {len(chosen)} class names are known",
            where=path,
            fix=f"Give a file of {num_classes} names, one a line in the order of the outputs, with --classes.",
        )
    coco = classes is None and chosen != tuple(VOC_CLASSES)
    settings = settings or (layout.coco_settings if coco and layout.coco_settings else layout.settings)
    model = ssd300_vgg16(num_classes, settings=settings, normalization=normalization or layout.normalization)
    wanted = model.state_dict()
    state = {}
    for ours, foreign in names.items():
        value = tensors[foreign].float()
        value = value.reshape(-1) if ours == SCALE else value
        if value.shape != wanted[ours].shape:
            raise WeightsError(
                f"{foreign} is {tuple(value.shape)} where {tuple(wanted[ours].shape)} is needed",
                where=path,
                fix="This is another network than SSD300-VGG16, or has other default boxes a cell.",
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"{foreign} holds values that are not finite", where=path, fix="Use another checkpoint.")
        state[ours] = value
    notes = _turn_to_ours(state, layout, bgr=layout.bgr if bgr is None else bgr)
    model.load_state_dict(state)
    used = set(names.values())
    left_over = tuple(sorted(name for name in tensors if name not in used and not _is_known_extra(name)))
    _check_own_boxes(tensors, settings, path)
    card = Card(
        model="ssd300_vgg16",
        classes=chosen,
        settings=settings,
        normalization=model.normalization,
        resize=layout.resize,
        clip_boxes=layout.clip_boxes,
        source={"imported_from": path.name, "layout": layout.name},
    )
    report = ImportReport(
        layout=layout.name,
        matched=tuple((foreign, ours) for ours, foreign in names.items()),
        left_over=left_over,
        notes=tuple(notes),
    )
    return model.eval(), card, report


def read_foreign(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by name, whatever wrote it. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError("there is no such file", where=path, fix=f"Name a checkpoint ({SUFFIXES}).")
    if path.suffix == ".caffemodel":
        return read_caffemodel(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"this is not a whole safetensors file ({error})", where=path, fix="Copy it.") from error
    return read_pickled(path)


def _read_npz(path: Path) -> dict[str, Tensor]:
    """ChainerCV's arrays, with its W, b and scale under the names that torch has for them."""
    endings = {"W": "weight", "b": "bias", "scale": "weight"}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            tensors = {}
            for name in arrays.files:
                layer, _, kind = name.rpartition("/")
                if kind in endings:
                    tensors[f"{layer}.{endings[kind]}"] = torch.from_numpy(np.asarray(arrays[name], np.float32))
            return tensors
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise WeightsError(
            f"this is not a whole npz file ({type(error).__name__}: {error})", where=path, fix="Copy the file again."
        ) from error


def _tensor_names() -> list[tuple[str, str]]:
    """(layer of the paper, tensor of ours) for all that a detector has."""
    return [
        (name, f"{prefix}.{kind}")
        for name, prefix in OURS.items()
        for kind in (("weight",) if name == "norm4_3" else ("weight", "bias"))
    ]


def _foreign_name(layout: Layout, name: str, ours: str) -> str:
    return layout.scale if name == "norm4_3" else f"{layout.layers[name]}.{ours.rpartition('.')[2]}"


def _recognise(tensors: Mapping[str, Tensor], path: Path) -> Layout:
    """The layout that most of the file's names are of."""

    def matches(layout: Layout) -> int:
        return sum(f"{prefix}.weight" in tensors for prefix in layout.layers.values())

    best = max(LAYOUTS, key=matches)
    if matches(best) < len(best.layers) // 2:
        some = ", ".join(sorted(tensors)[:3])
        raise WeightsError(
            f"the file is of no known layout; it has {len(tensors)} tensors, such as {some}",
            where=path,
            fix=f"Known: {', '.join(layout.name for layout in LAYOUTS)}. A backbone alone is for --init.",
        )
    return best


def _count_classes(bias: Tensor, path: Path) -> int:
    """Without background, from the class outputs of the first map, which has four default boxes a cell."""
    outputs, rest = divmod(len(bias), 4)
    if rest or outputs < 2:
        raise WeightsError(
            f"{len(bias)} class outputs are not those of 4 default boxes a cell",
            where=path,
            fix="Name a checkpoint of SSD300-VGG16.",
        )
    return outputs - 1


def _turn_to_ours(state: dict[str, Tensor], layout: Layout, *, bgr: bool) -> list[str]:
    """Colours and coordinates in our order, exactly: by moving weights."""
    notes = []
    if bgr:
        first = f"{OURS['conv1_1']}.weight"
        state[first] = state[first].flip(1)
        notes.append("the first convolution saw blue first: its inputs are turned round")
    if layout.offsets_yx:
        for name in (name for name in state if name.startswith("heads.offsets.")):
            rows = state[name].reshape(-1, 4, *state[name].shape[1:])
            state[name] = rows[:, [1, 0, 3, 2]].reshape(state[name].shape)
        notes.append("box offsets were (y, x, height, width): their outputs are reordered")
    return notes


def _is_known_extra(name: str) -> bool:
    return any(part in name.lower() for part in KNOWN_EXTRAS)


def _check_own_boxes(tensors: Mapping[str, Tensor], settings: DefaultBoxSettings, path: Path) -> None:
    """Where a file carries its default boxes, as the tutorial's does, they must be the ones that it is read with."""
    ours = make_default_boxes(settings)
    for name, value in tensors.items():
        if "prior" in name.lower() and value.shape == ours.shape:
            apart = float((value.float() - ours).abs().max())
            if apart > OWN_BOXES_TOLERANCE:
                raise WeightsError(
                    f"its default boxes ({name}) are up to {apart:.3g} apart from those it would be used with",
                    where=path,
                    fix="Name its setting with --default-boxes.",
                )
