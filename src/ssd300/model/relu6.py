"""ReLU6 that is fast in training on a CPU.

torch clamps bfloat16 by way of float32, and its in-place ReLU6 makes a copy besides. Floating-point numbers are in the
order of their bits read as integers, and a negative one is a negative integer. So the integers are clamped here, which
gives the same numbers, in bfloat16 in a tenth of the time (docs/performance.md).
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ssd300.model.on_cpu import is_trained_on_cpu

TOP = 6.0
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes


class ReLU6(nn.ReLU6):
    """torch's ReLU6 in place, with the same numbers and gradients.

    Only NaN differs: in training on a CPU it becomes 0 or 6. It is not lost: the gradient of the layer before has it.
    """

    def __init__(self) -> None:
        super().__init__(inplace=True)

    def forward(self, features: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not is_trained_on_cpu(features):
            return super().forward(features)
        clamped: Tensor = _Clamp.apply(features)
        return clamped


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        integers = INTEGERS[features.element_size()]
        top = torch.tensor(TOP, dtype=features.dtype).view(integers)
        ctx.mark_dirty(features)
        features.view(integers).clamp_(0, int(top))
        ctx.save_for_backward(features)
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (clamped,) = ctx.saved_tensors
        found: Tensor = torch.ops.aten.hardtanh_backward(gradient, clamped, 0.0, TOP)
        return found
