"""An export from start to end: graph, precision, metadata, comparison with the weights, and only then the file."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import Detector
from ssd300.detection.network import Network, detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError, UsageError
from ssd300.evaluation.evaluator import evaluate_detector
from ssd300.export.description import describe_onnx, describe_openvino
from ssd300.export.graph import to_onnx
from ssd300.export.images import spread
from ssd300.export.nms import with_nms
from ssd300.export.opset import OPSET, at_opset
from ssd300.export.parity import COMPARED, LIMITS, Limits, agreement, median_ms, violations
from ssd300.export.quantization import decoding_nodes, first_convolution, length_nodes, quantize
from ssd300.images.read import read_image
from ssd300.images.resize import to_size
from ssd300.runtime import ExportedNetwork, Manifest
from ssd300.runtime.manifest import THRESHOLDS_INSIDE, Precision
from ssd300.runtime.sessions import import_openvino, openvino_core
from ssd300.system.files import write_atomically, write_json
from ssd300.system.progress import Progress, numbered, silent
from ssd300.types import Detections, Selection
from ssd300.weights import Card, load_weights

Format = Literal["onnx", "openvino"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
PARITY = "parity.json"
MAX_CALIBRATION_IMAGES, MAX_COMPARED_IMAGES = 300, 32


def export(
    weights: str | Path,
    out: Path,
    *,
    format: Format,  # the option's name
    precision: Precision,
    image_paths: Sequence[Path],
    labeled: Dataset | None = None,
    nms: bool = True,
    opset: int = OPSET,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write the file, and `parity.json` beside it, if the file detects what the weights detect; return the latter.

    They are compared on `image_paths`, from which int8 also takes its ranges; of many images an evenly spaced part is
    used. With `labeled` images their mAP is compared as well. `nms` puts non-maximum suppression into an ONNX file;
    OpenVINO files leave it to the runtime. `opset` is that of an ONNX file, one of `opset.OPSETS`. Existing files are
    replaced.

    Raises:
        ExportError: the file differs by more than `limits`, or cannot be made. Nothing is written then.
        UsageError: `out` has another suffix, there is no image, a library is missing, or ONNX is to be bf16.
        WeightsError, DataError: the weights or an image cannot be read.
    """
    check_format(out, format, precision)
    if not image_paths:
        raise UsageError("there is no image to compare on", fix="Name some with --images.")
    progress = numbered(progress, 4 if labeled is None else 6)
    model, card = load_weights(weights)
    most = MAX_CALIBRATION_IMAGES if precision == "int8" else MAX_COMPARED_IMAGES
    images = [read_image(path) for path in spread(image_paths, most)]
    original = TorchNetwork(model, card)
    selection = Detector(original).selection()  # what `ssd300 detect` shows; the file has these values as defaults
    nms = nms and format == "onnx"
    manifest = _manifest(card, precision, top_k=selection.top_k if nms else None)
    with progress("tracing the network"):
        proto = to_onnx(model, card)
    allowed = limits or LIMITS[precision]
    with TemporaryDirectory() as folder:
        built = Path(folder) / out.name
        building, total = ("quantizing", len(images)) if precision == "int8" else ("building the file", None)
        with progress(building, total) as task:
            _build(proto, built, manifest, selection, images, task.advance, opset=opset)
        comparison = _compare(original, ExportedNetwork(built), spread(images, MAX_COMPARED_IMAGES), labeled, progress)
        loss = None if comparison["map"] is None else comparison["map"]["loss"]
        if found := violations(comparison["agreement"], allowed, map_loss=loss):
            raise ExportError(
                f"the {precision} file does not detect what the weights detect: {'; '.join(found)}",
                where=out,
                fix="For int8 name more images like those that the file will be used on, or use another --precision.",
            )
        parts = sorted(built.parent.glob(f"{built.stem}.*"))
        report = {
            "file": out.name,
            "format": format,
            "precision": precision,
            "nms": nms,
            "bytes": sum(part.stat().st_size for part in parts),
            **comparison,
            "agreement": asdict(comparison["agreement"]),
            "limits": asdict(allowed),
        }
        for part in parts:
            write_atomically(out.with_suffix(part.suffix), partial(shutil.copyfile, part))
        write_json(out.with_name(PARITY), report)
    return report


def check_format(out: Path, format: Format, precision: Precision) -> None:
    """Raises UsageError if `out` has another suffix than files of this format, or if ONNX is to be bf16."""
    if out.suffix != SUFFIXES[format]:
        name = out / f"model{SUFFIXES[format]}" if out.is_dir() or not out.suffix else out.with_suffix(SUFFIXES[format])
        raise UsageError(f"{format} files end in {SUFFIXES[format]}", where=out, fix=f"Name the file: --out {name}.")
    if format == "onnx" and precision == "bf16":
        raise UsageError(
            "ONNX Runtime has no bfloat16 convolution on CPUs",
            fix="Use --format openvino, or --precision fp32 or int8.",
        )


def _manifest(card: Card, precision: Precision, *, top_k: int | None) -> Manifest:
    """The metadata of the file. `top_k` is None for a file without non-maximum suppression."""
    return Manifest(
        model=card.model,
        classes=card.classes,
        image_size_px=card.settings.image_size_px,
        resize=card.resize,
        precision=precision,
        suppresses=top_k is not None,
        top_k=top_k,
        min_scores=dict(card.min_scores),
        metric=card.metric,
        source=card.source,
        format_version=1 if top_k is None else THRESHOLDS_INSIDE,
    )


def _build(
    proto: Any,
    built: Path,
    manifest: Manifest,
    selection: Selection,
    images: Sequence[np.ndarray],
    advance: Callable[[], None],
    *,
    opset: int,
) -> None:
    """Write the file `built`, in the precision of `manifest` and with it inside. `images` are for int8; `advance` is
    called for each of them.
    """
    import onnx

    keep = decoding_nodes(proto) + length_nodes(proto) + first_convolution(proto)
    batches = [to_size(image, manifest.image_size_px, manifest.resize)[None] for image in images]
    if built.suffix == SUFFIXES["onnx"]:
        if manifest.precision == "int8":
            proto = quantize(proto, batches, keep=keep, one_range_per_tensor=True, advance=advance)
        proto = at_opset(proto, opset)
        if manifest.suppresses:
            proto = with_nms(proto, num_classes=len(manifest.classes), selection=selection)
        describe_onnx(proto, manifest, selection)
        onnx.save(proto, built)
        return
    openvino = import_openvino()
    model = openvino_core().read_model(proto.SerializeToString())
    if manifest.precision == "int8":
        model = quantize(model, batches, keep=keep, advance=advance)
    describe_openvino(model, manifest, selection)
    openvino.save_model(model, built, compress_to_fp16=False)


def _compare(
    original: TorchNetwork,
    exported: ExportedNetwork,
    images: Sequence[np.ndarray],
    labeled: Dataset | None,
    progress: Progress,
) -> dict[str, Any]:
    """Agreement and time on the images, and mAP on the labeled ones, None without any."""
    networks: tuple[Network, Network] = original, exported
    found: tuple[list[Detections], list[Detections]] = [], []
    with progress("comparing with the weights", len(images)) as task:
        for image in images:
            for network, detections in zip(networks, found, strict=True):
                detections += detect(network, [image], COMPARED)
            task.advance()
    scores = None
    if labeled is not None:
        reports = [
            evaluate_detector(Detector(network), labeled, progress=progress, what=f"evaluating the {name}")
            for network, name in zip(networks, ("weights", "file"), strict=True)
        ]
        a, b = (report.map for report in reports)
        scores = {
            "metric": reports[0].metric,
            "images": reports[0].images,
            "weights": a,
            "file": b,
            "loss": None if a is None or b is None else a - b,
        }
    with progress("timing"):
        times = {"weights": median_ms(original, images), "file": median_ms(exported, images)}
    return {"agreement": agreement(*found), "map": scores, "ms_per_image": times}
