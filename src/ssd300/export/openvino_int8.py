"""Quantization of an OpenVINO model to 8-bit integers with nncf."""

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ssd300.errors import ExportError, UsageError, install_hint
from ssd300.export.graph import IMAGES
from ssd300.runtime.sessions import import_openvino


def quantize(
    model: Any,
    images: Sequence[np.ndarray],
    *,
    keep: Sequence[str],
) -> Any:
    """The OpenVINO model in 8 bits; nodes named in `keep` stay as they are.

    `images` are batches as the network takes them. The input of a depthwise convolution has a range per channel,
    without which the file loses much mAP.

    Raises:
        UsageError: openvino or nncf is missing.
        ExportError: nncf cannot quantize the model.
    """
    import_openvino()  # first: nncf would import it with its telemetry
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # about a CUDA that nncf does not need here
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the installed version of torch
            import nncf
            from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
    except ImportError as error:
        raise UsageError("int8 for OpenVINO needs nncf", fix=install_hint("openvino")) from error
    log = logging.getLogger("nncf")
    level = log.level
    log.setLevel(logging.ERROR)

    def as_input(batch: np.ndarray) -> dict[str, np.ndarray]:
        return {IMAGES: batch}

    dataset = nncf.Dataset(list(images), as_input)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # it draws bars of its own
            warnings.simplefilter("ignore")
            return nncf.quantize(
                model,
                dataset,
                subset_size=len(images),
                preset=nncf.QuantizationPreset.MIXED,  # also ranges that are not symmetric around zero
                ignored_scope=nncf.IgnoredScope(names=list(keep), validate=False),
                advanced_parameters=AdvancedQuantizationParameters(
                    # Processors without VNNI add two products in 16 bits, and saturate unless weights have 7 bits.
                    overflow_fix=OverflowFix.ENABLE,
                ),
            )
    except Exception as error:  # nncf's own exceptions have no common base
        raise ExportError(
            f"nncf cannot quantize the model ({error})", fix="Export it with --precision fp32."
        ) from error
    finally:
        log.setLevel(level)


def names_in_openvino(names: Sequence[str]) -> list[str]:
    """OpenVINO splits a convolution into one without biases and an addition."""
    return [*names, *(f"{name}/WithoutBiases" for name in names)]
