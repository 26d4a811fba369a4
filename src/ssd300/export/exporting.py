"""The whole of an export: graph, precision, manifest, comparison, and only then the file in its place."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import Detector
from ssd300.detection.network import detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError, UsageError
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.export.graph import OPSET, OPSET_TO_QUANTIZE, to_onnx, with_suppression
from ssd300.export.parity import LIMITS, SEEN, Limits, agreement, median_ms, violations
from ssd300.export.quantization import decoding_nodes, first_convolution, length_nodes, quantize
from ssd300.images.read import read_image
from ssd300.images.resize import to_size
from ssd300.runtime import ExportedNetwork, Manifest
from ssd300.runtime.manifest import KEY, Precision
from ssd300.runtime.sessions import import_openvino
from ssd300.system.files import write_atomically, write_json
from ssd300.types import Selection
from ssd300.weights import load_weights

Format = Literal["onnx", "openvino"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
PARITY = "parity.json"
Item = TypeVar("Item")
MOST_CALIBRATED, MOST_COMPARED = 300, 32


def export(
    weights: str | Path,
    out: Path,
    *,
    format: Format,  # noqa: A002  # the option's name
    precision: Precision,
    image_paths: Sequence[Path],
    labelled: Dataset | None = None,
    suppress: bool = True,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Write the file, and `parity.json` beside it, if it does what the weights do on `images`; answer the latter.

    `image_paths` give int8 its ranges too. With `labelled` images mAP is compared as well. `suppress` puts
    non-maximum suppression into an ONNX file; OpenVINO files leave it to the runtime.

    Raises:
        ExportError: the file differs by more than `limits`, or cannot be made. Nothing is left behind.
        UsageError: `out` has another ending; there is no image; a library is missing; or bf16 for ONNX.
        WeightsError, DataError: weights or an image cannot be read.
    """
    if out.suffix != SUFFIXES[format]:
        raise UsageError(f"{format} files end in {SUFFIXES[format]}", where=out, fix="Name another --out.")
    if not image_paths:
        raise UsageError("there is no image to compare on", fix="Name some.")
    if format == "onnx" and precision == "bf16":
        raise UsageError(
            "ONNX Runtime has no bfloat16 convolution on CPUs",
            fix="Use --format openvino, or --precision fp32 or int8.",
        )
    model, card = load_weights(weights)
    images = [
        read_image(path) for path in _spread(image_paths, MOST_CALIBRATED if precision == "int8" else MOST_COMPARED)
    ]
    original = TorchNetwork(model, card)
    selection = Detector(original).selection()  # what `ssd300 detect` shows; in the file these are defaults
    suppress = suppress and format == "onnx"
    manifest = Manifest(
        model=card.model,
        classes=card.classes,
        image_size_px=card.settings.image_size_px,
        resize=card.resize,
        precision=precision,
        suppresses=suppress,
        top_k=selection.top_k if suppress else None,
        min_scores=dict(card.min_scores),
        metric=card.metric,
        source=card.source,
    )
    quantized_onnx = format == "onnx" and precision == "int8"
    proto = to_onnx(model, card, opset=OPSET_TO_QUANTIZE if quantized_onnx else OPSET)
    with TemporaryDirectory() as folder:
        built = Path(folder) / out.name
        _build(proto, built, manifest, selection, images)
        comparison = _compare(original, ExportedNetwork(built), _spread(images, MOST_COMPARED), labelled)
        allowed = limits or LIMITS[precision]
        loss = None if comparison["map"] is None else comparison["map"]["loss"]
        if wrong := violations(comparison["agreement"], allowed, map_loss=loss):
            raise ExportError(
                f"the {precision} file does not do what the weights do: {'; '.join(wrong)}",
                where=out,
                fix="For int8 name more images of the kind that it is for; or take another --precision.",
            )
        parts = sorted(built.parent.glob(f"{built.stem}.*"))
        report = {
            "file": out.name,
            "format": format,
            "precision": precision,
            "nms": suppress,
            "bytes": sum(part.stat().st_size for part in parts),
            **comparison,
            "agreement": asdict(comparison["agreement"]),
            "limits": asdict(allowed),
        }
        for part in parts:
            write_atomically(out.with_suffix(part.suffix), partial(shutil.copyfile, part))
        write_json(out.with_name(PARITY), report)
    return report


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """`most` of them at even distances, or all."""
    return [items[place] for place in np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]


def _build(proto: Any, built: Path, manifest: Manifest, selection: Selection, images: Sequence[np.ndarray]) -> None:
    """The file in the precision of its manifest, which it holds."""
    import onnx

    keep = decoding_nodes(proto) + length_nodes(proto) + first_convolution(proto)
    batches = [to_size(image, manifest.image_size_px, manifest.resize)[None] for image in images]
    if built.suffix == SUFFIXES["onnx"]:
        if manifest.precision == "int8":
            proto = quantize(proto, batches, keep=keep, one_range_a_tensor=True)
        if manifest.suppresses:
            proto = with_suppression(proto, num_classes=len(manifest.classes), selection=selection)
        onnx.helper.set_model_props(proto, {KEY: manifest.to_json()})
        onnx.save(proto, built)
        return
    openvino = import_openvino()
    model = openvino.Core().read_model(proto.SerializeToString())
    if manifest.precision == "int8":
        model = quantize(model, batches, keep=keep)
    model.set_rt_info(manifest.to_json(), KEY)
    openvino.save_model(model, built, compress_to_fp16=False)


def _compare(
    original: TorchNetwork, exported: ExportedNetwork, images: Sequence[np.ndarray], labelled: Dataset | None
) -> dict[str, Any]:
    """Agreement on the images, mAP on the labelled ones, and time."""
    found = [[detect(network, [image], SEEN)[0] for image in images] for network in (original, exported)]
    scores = None
    if labelled is not None:
        reports = [evaluate_detector(Detector(network), labelled) for network in (original, exported)]
        a, b = (report.map for report in reports)
        scores = {
            "metric": reports[0].metric,
            "images": reports[0].images,
            "weights": a,
            "file": b,
            "loss": None if a is None or b is None else a - b,
        }
    return {
        "agreement": agreement(*found),
        "map": scores,
        "ms_per_image": {"weights": median_ms(original, images), "file": median_ms(exported, images)},
    }
