"""The weights that timm itself knows of a network: from the cache of the Hugging Face Hub, or downloaded.

Offline, timm asks for each file again and again, and logs each time. So the cache is looked into first, and the Hub is
called once before timm is: without a connection that takes a moment.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from ssd300.errors import DownloadError, WeightsError, as_text
from ssd300.model.timm_networks import import_timm
from ssd300.system.web import check_reachable

FILES = ("model.safetensors", "pytorch_model.bin")  # the names on the Hub, in the order in which timm tries them
LOGGERS = ("huggingface_hub", "timm")


def downloaded(network: str) -> Mapping[str, Tensor]:
    """The tensors of the whole network, in timm's names. Raises WeightsError if they cannot be had."""
    timm = import_timm()
    config = timm.get_pretrained_cfg(network)
    if not config.has_weights:
        raise WeightsError(f"timm has no weights of {network}", fix="Use --init none, or another network.")
    try:
        options = _source(config)
        with _quiet():
            weights: Mapping[str, Tensor] = timm.create_model(network, pretrained=True, **options).state_dict()
    except Exception as error:  # whatever the download and the readers of files raise
        place = f"{config.hf_hub_id} of the Hugging Face Hub" if config.hf_hub_id else config.url
        raise WeightsError(
            f"timm could not download the weights of {network} ({_reason(error)})",
            fix=f"Connect to the internet, or get the file of {place} elsewhere and name it: --init FILE.",
        ) from error
    return weights


def _source(config: Any) -> dict[str, Any]:
    """Options for timm's `create_model`: the file with the weights, if the cache has it.

    Raises DownloadError if a download is needed and the Hub does not answer.
    """
    if not config.hf_hub_id:
        return {}  # timm tries an address once
    import huggingface_hub
    from huggingface_hub import constants

    if not config.custom_load:  # else the file is not read as others are
        for name in FILES:
            path = huggingface_hub.try_to_load_from_cache(config.hf_hub_id, name)
            if isinstance(path, str) and Path(path).is_file():
                return {"pretrained_cfg_overlay": {"file": path}}
    if not constants.HF_HUB_OFFLINE:
        check_reachable(constants.ENDPOINT)
    return {}


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing but errors of timm and the Hub while the block runs. Bars of a download are shown."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _reason(error: Exception) -> str:
    if isinstance(error, DownloadError):
        return f"{error.where}: {error.what}"
    text = str(error).strip()
    return as_text(text.splitlines()[0] if text else type(error).__name__).rstrip(".")
