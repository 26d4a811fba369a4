"""Whether a layer is being trained on a CPU, where torch's own way is slow for some layers."""

import torch
from torch import Tensor


def is_trained_on_cpu(features: Tensor) -> bool:
    """False also where a compiler or an exporter reads the network: these have ways of their own."""
    return features.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling()
