"""`ssd300 info`: the metadata of a weights file or an exported file."""

import sys

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
    from ssd300.detection.backends import backend_for

    facts = backend_for(weights).facts()
    if json_:
        print_json(facts)
        return
    width = max(map(len, facts))
    sys.stdout.writelines(
        f"{name:{width}}  {'not stated' if value is None else value}\n" for name, value in facts.items()
    )
