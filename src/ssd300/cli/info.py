"""`ssd300 info`: what a weights file or an exported file holds, in sentences."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from ssd300.cli.help import ARGUMENTS
from ssd300.cli.options import Json, print_json

RGB = "red, green and blue"


def info(
    weights: Annotated[str, Parameter(name=["--weights", "-w"], group=ARGUMENTS)],
    *,
    json_: Json = False,
) -> None:
    """Say what weights hold: model, classes, mAP, data, license.

    Parameters
    ----------
    weights
        A run folder, a .safetensors file, a name such as coco, or an exported .onnx or .xml file.
    json_
        Print one JSON object with all that is stored, also the default boxes, and nothing else.
    """
    from ssd300.detection.backends import backend_for
    from ssd300.errors import printable

    facts = backend_for(weights).facts()
    if json_:
        print_json(facts)
        return
    sys.stdout.writelines(f"{printable(line)}\n" for line in _sentences(facts))
    boxes = ", also the default boxes" if "default_boxes" in facts else ""
    sys.stdout.write(f"\nall of it{boxes}: {shlex.join(['ssd300', 'info', weights, '--json'])}\n")


def _sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    """The facts of weights or of an exported file; the latter has its precision, and its network normalizes images."""
    from ssd300.system.wording import plural

    source, classes = facts["source"], facts["classes"]
    yield facts["file"]
    exported = f", exported in {facts['precision']}" if "precision" in facts else ""
    backbone = facts.get("backbone")
    yield f"A detector, {facts['model']}{f' ({backbone})' if backbone else ''}{exported}."
    yield f"It finds {plural(len(classes), 'class', 'classes')}: {', '.join(classes)}."
    size = facts["input_size"][0]
    yield f"It resizes images to {size} x {size} pixels ({facts['resize']}){_normalization(facts)}."
    if facts.get("default_boxes", {}).get("fitted_px"):
        yield "Its default boxes are fitted to objects, of its training or of the run that it started from."
    if facts.get("heads") == "ssdlite":
        yield "Its heads and extra layers are SSDLite's: depthwise-separable convolutions."
    if layers := facts.get("float32_layers"):
        yield f"In float32 for the sake of accuracy: {plural(len(layers), 'layer')}: {', '.join(layers)}."
    if facts.get("suppresses") is False:
        yield "It returns the boxes and scores of all default boxes: non-maximum suppression is not in the file."
    yield _measured(facts["metric"], exported=bool(exported))
    yield _thresholds(facts["min_scores"] or {})
    yield from _origin(source)
    yield f"License: {source.get('licence') or 'not stated'}."


def _normalization(facts: Mapping[str, Any]) -> str:
    if facts["normalization"] is None:
        return "; it normalizes them itself"
    mean, std = (_per_channel(facts["normalization"][name]) for name in ("mean", "std"))
    return f"; from {RGB}, as 0..1, it subtracts {mean} and divides by {std}"


def _per_channel(values: Sequence[float]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else ", ".join(f"{value:g}" for value in values)


def _measured(metric: Mapping[str, Any] | None, *, exported: bool) -> str:
    """The mAP in the card. An exported file has that of its weights; `ssd300 eval` measures its own."""
    from ssd300.metrics.words import map_in_words
    from ssd300.system.wording import plural

    if metric is None or metric.get("value") is None:
        return f"mAP: not measured by the command that wrote {'its weights' if exported else 'it'}."
    held_out = plural(metric["images"], "held-out image")
    score = f"{map_in_words(metric['name'], metric['value'])}, on {held_out}"
    return f"Of the weights that it was made from: {score}." if exported else f"{score}."


def _thresholds(min_scores: Mapping[str, float]) -> str:
    from ssd300.detection.defaults import MIN_SCORE

    if not min_scores:
        return f"Confidence thresholds: none stored, so detect uses {MIN_SCORE:g}; `ssd300 thresholds` chooses some."
    return f"Confidence thresholds: {', '.join(f'{name} {score:.3f}' for name, score in min_scores.items())}."


def _origin(source: Mapping[str, Any]) -> Iterator[str]:
    """Where the weights come from: a training, another code, or a publication."""
    from ssd300.system.wording import plural

    if "start" in source:
        start = "randomly initialized weights" if source["start"] == "none" else source["start"]
        average = "; these are the averaged weights" if source.get("averaged") else ""
        count = plural(source["images"], "image") if "images" in source else "the images"
        yield f"Trained on {count} of {source.get('data', 'unknown data')}, from {start}{average}."
        if "recipe" in source:
            chosen = ", ".join(f"{name}={value}" for name, value in source["recipe"].items())
            yield f"Choices beyond the paper: {chosen}."
    if "imported_from" in source:
        yield f"Imported from {source['imported_from']}, in the layout of {source['layout']}."
        if "weights" in source:
            yield f"Weights taken from the source file: {source['weights']}."
        if "class_names" in source:
            yield f"Class names: {source['class_names']}."
    if "origin" in source:
        yield f"Origin: {source['origin']}. Trained on {source.get('data', 'unknown data')}."
        if source.get("published"):
            yield f"Published: {source['published']}."
