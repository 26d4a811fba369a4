"""Batch normalization over the images of all processes: `--sync-norms`.

Without it each process takes means and variances of its own piece of a batch, so numbers depend on how many processes
there are. torch's SyncBatchNorm does the same on GPUs; it refuses the CPU.
"""

from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ssd300.errors import UsageError
from ssd300.model.layers import BatchNorm
from ssd300.training.distributed import World

PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, BatchNorm)
BEFORE_ACTIVATION = "BatchNormAct2d"  # timm's, which ends with its own `drop` and `act`


def sync_norms(model: nn.Module, world: World) -> None:
    """Have the batch normalization of `model` use the means and variances of all processes in training, in place.

    Layers that keep their statistics still do, and names and weights are the same. With one process nothing changes.

    Raises UsageError if there is no batch normalization, or a kind that is not known here.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        raise UsageError("there is no batch normalization in this model", fix="Leave out --sync-norms.")
    kinds = {type(norm) for norm in norms}
    if unknown := [kind.__name__ for kind in kinds if kind not in PLAIN and kind.__name__ != BEFORE_ACTIVATION]:
        raise UsageError(f"--sync-norms does not know the layers {', '.join(unknown)}", fix="Leave out --sync-norms.")
    if world.size == 1:
        return
    for norm in norms:
        norm.world = world  # type: ignore[assignment]  # no tensor: an attribute for `_forward`
        norm.forward = MethodType(_forward, norm)  # type: ignore[method-assign]  # the layer has the same class


def _forward(norm: Any, features: Tensor) -> Tensor:
    """In place of the layer's own forward, which still serves evaluation."""
    if not norm.training:
        found: Tensor = type(norm).forward(norm, features)
        return found
    norm.num_batches_tracked.add_(1)
    share = 1 / int(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    normalized, mean, variance, count = _Normalized.apply(features, norm.weight, norm.bias, norm.eps, norm.world)
    norm.running_mean.lerp_(mean.to(norm.running_mean), share)
    norm.running_var.lerp_((variance * (count / (count - 1))).to(norm.running_var), share)
    if type(norm).__name__ == BEFORE_ACTIVATION:
        normalized = norm.act(norm.drop(normalized))
    return normalized  # type: ignore[no-any-return]  # of apply, which has no types


class _Normalized(torch.autograd.Function):
    """To the features, normalized; and mean, variance (biased) and number of values per channel, over all processes."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, eps: float, world: World
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, variance, count = _statistics(features, world)
        ctx.save_for_backward(features, weight, mean, variance)
        ctx.eps, ctx.count, ctx.world = eps, count, world
        normalized = F.batch_norm(features, mean, variance, weight, bias, eps=eps)
        ctx.mark_non_differentiable(mean, variance, count)
        return normalized, mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, variance = ctx.saved_tensors
        # Of scale and bias the sums over the own images: the gradients of processes are added later, as of all weights.
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, features, weight, mean, variance, None, None, False, ctx.eps, [False, True, True]
        )
        if not ctx.needs_input_grad[0]:
            return None, of_weight, of_bias, None, None
        by_value, by_all = ctx.world.sum(torch.stack([of_weight, of_bias])) / ctx.count
        rate = torch.rsqrt(variance + ctx.eps)
        scale = weight * rate
        # scale * (gradient - its mean - the normalized features * the mean of gradient times these)
        centred = features - _per_channel(mean, features)
        centred.mul_(_per_channel(-scale * rate * by_value, features)).sub_(_per_channel(scale * by_all, features))
        of_features = centred.addcmul_(gradient.to(centred), _per_channel(scale, features))
        return of_features.to(features.dtype), of_weight, of_bias, None, None


def _statistics(
    features: Float[Tensor, "batch channels *place"], world: World
) -> tuple[Float[Tensor, " channels"], Float[Tensor, " channels"], Float[Tensor, ""]]:
    """Mean, biased variance and count of values per channel, over all processes; in float32 or a wider type."""
    wide = torch.promote_types(features.dtype, torch.float32)
    # With running statistics of a wide type, the layer's own kernel has its sums in that type too.
    nothing = torch.zeros(features.shape[1], dtype=wide, device=features.device)
    mean, variance = torch.batch_norm_update_stats(features.detach(), nothing, nothing.clone(), 0.0)
    own = torch.full_like(mean[:1], features.numel() // features.shape[1])
    # One exchange; then the law of total variance, which loses no digits where means are far from 0.
    pieces = world.stacked(torch.cat([own, mean, variance]))
    counts, (means, variances) = pieces[:, :1], pieces[:, 1:].chunk(2, dim=1)
    count = counts.sum()
    mean = (counts * means).sum(0) / count
    return mean, (counts * (variances + (means - mean).square())).sum(0) / count, count


def _per_channel(values: Tensor, features: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (features.ndim - 2))
