"""What an exported file says about itself to people who open it without ssd300: metadata, descriptions, names of axes.

The manifest holds the same facts for ssd300; these are for Netron, and for a few lines of code in any language.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from ssd300.export.graph import BOXES, IMAGES, SCORES
from ssd300.export.nms import LABELS, MAX_OVERLAP, MIN_SCORE
from ssd300.export.opset import OLDEST_RUNTIME
from ssd300.images.resize import ANTIALIASED, BILINEAR, Resize
from ssd300.runtime.manifest import KEY, Manifest
from ssd300.types import Selection

RESIZING: dict[Resize, str] = {
    ANTIALIASED: "by bilinear interpolation with antialiasing, rounded to 8 bits: Pillow's "
    "image.resize((width, height), Image.Resampling.BILINEAR)",
    BILINEAR: "by bilinear interpolation without antialiasing, pixel centers at one half, not rounded: OpenCV's "
    "resize with INTER_LINEAR on float32, PyTorch's interpolate with mode='bilinear'",
}
BATCH = "batch"
AXES = {
    IMAGES: (BATCH, "height", "width", "channels"),
    BOXES: (BATCH, "detections", "corners"),
    SCORES: (BATCH, "detections"),
    LABELS: (BATCH, "detections"),
}
RAW_AXES = {BOXES: (BATCH, "default_boxes", "corners"), SCORES: (BATCH, "default_boxes", "classes")}


def facts(manifest: Manifest, selection: Selection) -> dict[str, str]:
    """The metadata of a file, a text under each key; lists are JSON. `selection` has the file's default thresholds."""
    min_scores = np.broadcast_to(np.asarray(selection.min_score, np.float64), (len(manifest.classes),))
    found = {
        "description": f"SSD object detector {_named(manifest)} in {manifest.precision}, {_written_by()}. It finds "
        f"{len(manifest.classes)} classes; how to use it: {', '.join((*_texts(manifest), MIN_SCORE, MAX_OVERLAP))}.",
        "classes": json.dumps(manifest.classes, ensure_ascii=False),
        **_texts(manifest),
        "resize": manifest.resize,
        MIN_SCORE: json.dumps([round(float(score), 6) for score in min_scores]),
        MAX_OVERLAP: json.dumps(selection.max_overlap),
        "top_k": json.dumps(selection.top_k),
        "per_class": json.dumps(selection.per_class),
    }
    if licence := manifest.source.get("licence"):
        found["license"] = str(licence)
    return found


def describe_onnx(proto: Any, manifest: Manifest, selection: Selection) -> None:
    """Put metadata, descriptions and names of axes into the model. What the exporter left of itself is removed: among
    it are paths of this machine.
    """
    from onnx import helper

    entries = facts(manifest, selection)
    opset = proto.opset_import[0].version
    oldest = OLDEST_RUNTIME.get(opset)
    entries["runtime"] = f"opset {opset}, IR version {proto.ir_version}" + (
        f": ONNX Runtime {oldest} or later" if oldest else ""
    )
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    proto.producer_name, proto.producer_version = "ssd300", version("ssd300")
    graph.name = manifest.model
    graph.doc_string = proto.doc_string = "\n".join(entries[key] for key in ("description", "input", "outputs"))
    axes = AXES if manifest.suppresses else AXES | RAW_AXES
    for value in (*graph.input, *graph.output):
        value.doc_string = _describe(value.name, manifest)
        for dim, name in zip(value.type.tensor_type.shape.dim, axes[value.name], strict=True):
            dim.denotation = name
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = BATCH  # the only one that is not fixed
    helper.set_model_props(proto, {**entries, KEY: manifest.to_json()})


def describe_openvino(model: Any, manifest: Manifest, selection: Selection) -> None:
    """Put the metadata into an OpenVINO model, a key each in its `rt_info`, and the layout of its input."""
    from ssd300.runtime.sessions import import_openvino

    for key, text in {**facts(manifest, selection), KEY: manifest.to_json()}.items():
        model.set_rt_info(text, key)
    (parameter,) = model.get_parameters()
    parameter.set_layout(import_openvino().Layout("NHWC"))


def _named(manifest: Manifest) -> str:
    """Such as 'ssd300_timm (timm:resnet18, heads ssdlite)'."""
    backbone, heads = manifest.layers.get("backbone"), manifest.layers["heads"]
    beyond = [*([backbone] if backbone else []), *([f"heads {heads}"] if heads != "ssd" else [])]
    return f"{manifest.model} ({', '.join(beyond)})" if beyond else manifest.model


def _texts(manifest: Manifest) -> dict[str, str]:
    """The keys `input` and `outputs`."""
    names: Sequence[str] = (BOXES, SCORES, LABELS) if manifest.suppresses else (BOXES, SCORES)
    outputs = "; ".join(f"{name}: {_describe(name, manifest)}" for name in names)
    return {"input": f"{IMAGES}: {_describe(IMAGES, manifest)}", "outputs": f"{outputs}{_left_to_do(manifest)}"}


def _describe(name: str, manifest: Manifest) -> str:
    """One sentence on the input or output of this name."""
    size, rows = manifest.image_size_px, manifest.top_k
    if name == IMAGES:
        kind = "uint8" if manifest.resize == ANTIALIASED else "float32"
        return (
            f"{kind} (batch, height {size}, width {size}, channels 3): red, green, blue, each 0..255, not normalized. "
            f"The upright image (EXIF orientation applied), the whole of it stretched to {size} x {size} without "
            f"borders, {RESIZING[manifest.resize]}"
        )
    if name == LABELS:
        return f"int64 (batch, detections {rows}): indices into classes, from 0; there is no background"
    if name == BOXES:
        frame = "xmin, ymin, xmax, ymax, where 0 and 1 are the borders of the image, which a box may cross"
        which = f"detections {rows}, best score first" if manifest.suppresses else "default boxes"
        return f"float32 (batch, {which}, corners 4): {frame}"
    if manifest.suppresses:
        return (
            f"float32 (batch, detections {rows}): from 0 to 1; a row whose score is 0 is unused, the others are above "
            f"the threshold of their class in {MIN_SCORE}"
        )
    return (
        f"float32 (batch, default boxes, classes {len(manifest.classes)}): from 0 to 1; the column is the index into "
        "classes, from 0; there is no background"
    )


def _left_to_do(manifest: Manifest) -> str:
    if manifest.suppresses:
        return ""
    return (
        f". To do: keep scores above {MIN_SCORE}; in each class, of the best per_class, drop boxes whose IoU with a "
        f"better one is above {MAX_OVERLAP}; keep the best top_k of an image"
    )


def _written_by() -> str:
    return f"written by ssd300 {version('ssd300')}"
