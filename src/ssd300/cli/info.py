"""`ssd300 info`: what a weights file says of itself."""

import sys

from ssd300.cli.options import Json, print_json


def info(weights: str, *, json_: Json = False) -> None:
    """Print model, classes, input size, normalisation, metric, data, licence and origin of weights.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, or a name such as coco.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.weights import read_card, resolve_weights

    card = read_card(weights)
    facts = {
        "file": str(resolve_weights(weights)),
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
    if json_:
        print_json(facts)
        return
    width = max(map(len, facts))
    sys.stdout.writelines(
        f"{name:{width}}  {'not said' if value is None else value}\n" for name, value in facts.items()
    )
