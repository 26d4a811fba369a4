"""Batch normalization that uses, and keeps, the running statistics it started with, also in training.

The statistics of a few small batches are noisy, and move those of ImageNet towards a small dataset. Frozen ones are
usual where a detector is trained in small batches: He et al. 2016 (ResNet), arXiv 1512.03385, appendix A, where scales
and biases are fixed too; here they are trained.
"""

from collections.abc import Collection
from types import MethodType

from torch import nn

from ssd300.errors import UsageError
from ssd300.model import SSD


def freeze_norms(model: SSD, filled: Collection[str]) -> None:
    """Freeze the statistics of the backbone's batch normalization, in place; its scales and biases are still trained.

    `filled` are the layers that came with the start: only these have statistics worth keeping. Raises UsageError if
    there is none among them.
    """
    norms = [
        module
        for name, module in model.named_modules()
        if name.startswith("backbone.") and name in filled and isinstance(module, nn.modules.batchnorm._BatchNorm)
    ]
    if not norms:
        raise UsageError(
            "there is no batch normalization to freeze in what the run starts from", fix="Leave out --freeze-norms."
        )
    for norm in norms:
        keep_statistics(norm)


def keep_statistics(norm: nn.Module) -> None:
    """Have one layer of batch normalization use and keep its statistics, also after `model.train()`."""
    norm.eval()
    norm.train = MethodType(_stay_in_evaluation, norm)  # type: ignore[method-assign]  # outlives model.train()


def _stay_in_evaluation(norm: nn.Module, _mode: bool = True) -> nn.Module:
    """In place of `nn.Module.train`."""
    return norm
