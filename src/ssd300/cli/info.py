"""`ssd300 info`: the metadata of a weights file or an exported file."""

import sys
from pathlib import Path
from typing import Any

from ssd300.cli.options import Json, print_json


def info(weights: str, *, json_: Json = False) -> None:
    """Print model, classes, input size, normalization, metric, data, license and origin of weights.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, a name such as coco, or an exported .onnx or .xml file.
    json_
        Print one JSON object and nothing else.
    """
    facts = _facts(weights)
    if json_:
        print_json(facts)
        return
    width = max(map(len, facts))
    sys.stdout.writelines(
        f"{name:{width}}  {'not stated' if value is None else value}\n" for name, value in facts.items()
    )


def _facts(weights: str) -> dict[str, Any]:
    from ssd300.detection.backends import is_exported

    if is_exported(weights):
        from dataclasses import asdict

        from ssd300.runtime import load_exported

        return {"file": weights, **asdict(load_exported(Path(weights)).card)}
    from ssd300.weights import resolve_weights
    from ssd300.weights.format import read_card_file

    path = resolve_weights(weights)
    card = read_card_file(path)
    return {
        "file": str(path),
        "model": card.model,
        "classes": list(card.classes),
        "input_size": [card.settings.image_size_px] * 2,
        "normalization": {"mean": card.normalization.mean, "std": card.normalization.std},
        "resize": card.resize,
        "clip_boxes": card.clip_boxes,
        "metric": card.metric,
        "min_scores": dict(card.min_scores) or None,
        "data": card.source.get("data"),
        "licence": card.source.get("licence"),
        "source": card.source,
        "default_boxes": vars(card.settings),
    }
