"""Parts of the backbone that are not trained: `--freeze`. For fine-tuning with few images, and for less time a step.

Frozen layers keep their weights, and the statistics of their batch normalization, also in training.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torch import nn

from ssd300.errors import UsageError
from ssd300.model import SSD
from ssd300.model.backbone import VGG16
from ssd300.training.frozen_norms import keep_statistics
from ssd300.training.option_checks import BACKBONE, NOTHING, frozen_stages


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """How many of the backbone's stages are frozen, how many weights that are, and how many weights are trained.

    `random` are the frozen layers that the start did not fill.
    """

    stages: int
    of_stages: int
    weights: int
    trained_weights: int
    random: tuple[str, ...] = ()

    def describe(self) -> str:
        """As a line of the log."""
        many = "all" if self.stages == self.of_stages else f"the first {self.stages} of"
        return (
            f"frozen: {many} {self.of_stages} stages of the backbone, {self.weights:,} weights; trained: "
            f"{self.trained_weights:,} of {self.weights + self.trained_weights:,} weights"
        )


def freeze(model: SSD, what: str, filled: Collection[str]) -> Frozen | None:
    """Freeze `what` of the detector, in place, by the option `freeze`; None if that is 'none'.

    `filled` are the names of the layers that the start filled. The normalization behind the backbone's maps, which is
    no layer of the network that was trained before, is never frozen.

    Raises:
        UsageError: the backbone has fewer stages.
    """
    if what == NOTHING:
        return None
    stages = backbone_stages(model.backbone)
    count = len(stages) if what == BACKBONE else frozen_stages(what)
    if count > len(stages):
        raise UsageError(
            f"--freeze is {what}, and this backbone has {len(stages)} stages",
            fix=f"Use --freeze stages:N with N up to {len(stages)}, or --freeze {BACKBONE}.",
        )
    parts = [module for stage in stages[:count] for part in stage for module in part.modules()]
    for module in parts:
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            keep_statistics(module)
    inside = {id(module) for module in parts if list(module.parameters(recurse=False))}
    sizes = {True: 0, False: 0}
    for parameter in model.parameters():
        sizes[parameter.requires_grad] += parameter.numel()
    return Frozen(
        stages=count,
        of_stages=len(stages),
        weights=sizes[False],
        trained_weights=sizes[True],
        random=tuple(name for name, module in model.named_modules() if id(module) in inside and name not in filled),
    )


def backbone_stages(backbone: nn.Module) -> list[list[nn.Module]]:
    """The modules of a backbone by stage, the first one first.

    VGG16 has 7: conv1 to conv5 of three or fewer layers each, conv6 and conv7. A backbone of timm has its stem and then
    its blocks, which are 8 stages in EfficientNet-Lite0. A part without weights of convolutions, or of linear layers as
    transformers have them, belongs to the stage before it.
    """
    if isinstance(backbone, VGG16):
        by_number: dict[str, list[nn.Module]] = {}
        for name, module in (*backbone.to_conv4_3.named_children(), *backbone.to_conv7.named_children()):
            by_number.setdefault(re.sub(r"\D*(\d+).*", r"\1", name), []).append(module)
        return list(by_number.values())
    stages: list[list[nn.Module]] = []
    for part in _parts_of(backbone.get_submodule("body")):
        if not stages or (_has_weights([part]) and _has_weights(stages[-1])):
            stages.append([])
        stages[-1].append(part)
    return stages


def _has_weights(parts: Sequence[nn.Module]) -> bool:
    """Whether there is a convolution or a linear layer that is trained."""
    modules = (module for part in parts for module in part.modules())
    return any(isinstance(one, nn.Conv2d | nn.Linear) and list(one.parameters()) for one in modules)


def _parts_of(body: nn.Module) -> Sequence[nn.Module]:
    """The children of timm's features, and in place of `blocks`, `stages` or a whole `model` their own ones."""
    parts: list[nn.Module] = []
    for name, child in body.named_children():
        parts += _parts_of(child) if name == "model" else child.children() if name in ("blocks", "stages") else [child]
    return parts
