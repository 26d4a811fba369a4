"""An export from start to end: graph, precision, metadata, comparison with the weights, and only then the file."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import Detector
from ssd300.detection.network import Network, detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError, UsageError
from ssd300.export.building import SUFFIXES, Format, Int8, in_8_bits, write_raw, write_with_nms
from ssd300.export.calibration import Calibration, distance_from_training
from ssd300.export.comparing import compare_detections, compare_map, compare_raw, nms_difference
from ssd300.export.graph import to_onnx
from ssd300.export.images import spread
from ssd300.export.opset import OPSET, at_opset
from ssd300.export.parity import LIMITS, Limits, median_ms, raw_violations, violations
from ssd300.export.place import put, reserved
from ssd300.export.raw import probes
from ssd300.export.record import record_path
from ssd300.images.read import read_image
from ssd300.images.resize import to_size
from ssd300.runtime import ExportedNetwork, Manifest
from ssd300.runtime.manifest import THRESHOLDS_INSIDE, Precision
from ssd300.system.files import write_json
from ssd300.system.progress import Progress, numbered, silent
from ssd300.system.temporary import temporary_folder
from ssd300.types import Selection
from ssd300.weights import Card, load_weights

MAX_CALIBRATION_IMAGES, MAX_COMPARED_IMAGES = 300, 32
MAX_NMS_DIFFERENCE = 0.01  # of scores; rounding decides which of two boxes is suppressed where their IoU is the NMS IoU


class Files(NamedTuple):
    """What is built in a temporary folder: the file, the same without NMS, and one in float32 to compare int8 with."""

    file: Path
    raw: Path
    fp32: Path


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
    """Write the file, and its record beside it, if the file detects what the weights detect; return the record.

    They are compared on `image_paths`, from which int8 also takes its ranges; of many images an evenly spaced part is
    used. With `labeled` images their mAP is compared as well. `nms` puts non-maximum suppression into an ONNX file;
    OpenVINO files leave it to the runtime. `opset` is that of an ONNX file, one of
    `opset.OPSETS`. Existing files are replaced. `record_path` names the record.

    Raises:
        ExportError: the file differs by more than `limits`, or cannot be made. Nothing is written then.
        UsageError: `out` has another suffix, there is no image, a library is missing, ONNX is to be bf16, or another
            export writes `out` now.
        RunError: a file cannot be written, as on a full disk.
        WeightsError, DataError: the weights or an image cannot be read.
    """
    check_format(out, format, precision)
    if not image_paths:
        raise UsageError("there is no image to compare on", fix="Name some with --images.")
    progress = numbered(progress, 4 + (precision == "int8") + (0 if labeled is None else 2))
    model, card = load_weights(weights)
    most = MAX_CALIBRATION_IMAGES if precision == "int8" else MAX_COMPARED_IMAGES
    images = [read_image(path) for path in spread(image_paths, most)]
    original = TorchNetwork(model, card)
    selection = Detector(original).selection()  # what `ssd300 detect` shows; the file has these values as defaults
    nms = nms and format == "onnx"
    manifest = _manifest(card, precision, top_k=selection.top_k if nms else None)
    with progress("tracing the network"):
        proto = to_onnx(model, card)
        calibration = _calibration(original, images, selection, out) if precision == "int8" else None
    allowed = limits or LIMITS[precision]
    with reserved(out), temporary_folder() as folder:
        int8, files = _build(proto, folder, out.name, format, manifest, selection, images, original, opset, progress)
        compared = _compare(original, files, spread(images, MAX_COMPARED_IMAGES), labeled, allowed, out, progress)
        parts = sorted(files.file.parent.glob(f"{files.file.stem}.*"))
        report = {
            "file": out.name,
            "format": format,
            "precision": precision,
            "nms": nms,
            "bytes": sum(part.stat().st_size for part in parts),
            **compared,
            "float32_layers": None if int8 is None else list(int8.float32_layers),
            "float32_search": None if int8 is None else {"moved": int8.moved, "out_of_time": int8.out_of_time},
            "calibration": None if calibration is None else asdict(calibration),
            "notes": [note for part in (calibration, int8) if part is not None for note in part.notes()],
            "limits": asdict(allowed),
        }
        record = record_path(out)
        put(parts, out)
        write_json(record, report)
    return report


def check_format(out: Path, format: Format, precision: Precision) -> None:
    """Raises UsageError if `out` has another suffix than files of this format, or if ONNX is to be bf16."""
    if out.suffix != SUFFIXES[format]:
        name = out / f"model{SUFFIXES[format]}" if out.is_dir() or not out.suffix else out.with_suffix(SUFFIXES[format])
        raise UsageError(
            f"{format} files end in {SUFFIXES[format]}", where=out, fix=f"Name the file: --out {name}.{_other(out)}"
        )
    if format == "onnx" and precision == "bf16":
        raise UsageError(
            "ONNX Runtime has no bfloat16 convolution on CPUs",
            fix="Use --format openvino, or --precision fp32 or int8.",
        )


def _other(out: Path) -> str:
    """What to add for the other format, if it is that one which the suffix means."""
    other = next((format for format, suffix in SUFFIXES.items() if suffix == out.suffix), None)
    return f" For a file of this name, add --format {other}." if other else ""


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


def _calibration(original: TorchNetwork, images: Sequence[np.ndarray], selection: Selection, out: Path) -> Calibration:
    """What is known about the images that int8 takes its ranges from. Raises ExportError if none shows an object."""
    empty = sum(not len(detect(original, [image], selection)[0]) for image in images)
    if empty == len(images):
        raise ExportError(
            f"the weights detect nothing on any of the {len(images)} images, so int8 would take its ranges from images "
            "that are unlike those that it will be used on",
            where=out,
            fix="Name images with objects with --images, or use --precision fp32.",
        )
    inputs = [original.prepare(image) for image in spread(images, MAX_COMPARED_IMAGES)]
    distance = distance_from_training(original.model, inputs)
    return Calibration(images=len(images), without_detections=empty, distance=distance)


def _build(
    proto: Any,
    folder: Path,
    name: str,
    format: Format,
    manifest: Manifest,
    selection: Selection,
    images: Sequence[np.ndarray],
    original: TorchNetwork,
    opset: int,
    progress: Progress,
) -> tuple[Int8 | None, Files]:
    """Write the files. Before the graph is quantized, it is compared with the weights as a file in float32."""
    files = Files(folder / "file" / name, folder / "raw" / name, folder / "fp32" / name)
    int8, graph = None, proto
    if manifest.precision == "int8":
        write_raw(proto, files.fp32, replace(manifest, precision="fp32"), selection)
        _check_graph(original, ExportedNetwork(files.fp32), spread(images, MAX_COMPARED_IMAGES), name)
        batches = [to_size(image, manifest.image_size_px, manifest.resize)[None] for image in images]
        with progress("quantizing", unit="trials") as task:
            int8 = in_8_bits(proto, format, batches, task)
        manifest = replace(manifest, float32_layers=int8.float32_layers)
        graph = int8.model
    with progress("writing the file"):
        if format == "onnx":
            graph = at_opset(graph, opset)
        write_raw(graph, files.raw, manifest, selection)
        if manifest.suppresses:
            write_with_nms(graph, files.file, manifest, selection)
            if int8 is not None:
                write_with_nms(proto, files.fp32, replace(manifest, precision="fp32"), selection)
            return int8, files
    return int8, files._replace(file=files.raw)


def _check_graph(original: TorchNetwork, fp32: Network, images: Sequence[np.ndarray], name: str) -> None:
    """Raises ExportError if the graph is another network than the weights, on the images or on colored spots."""
    size = original.model.settings.image_size_px
    found = raw_violations(compare_raw(original, fp32, [*images, *probes(size)]), LIMITS["fp32"])
    if found:
        raise _differs("fp32", found, name)


def _compare(
    original: TorchNetwork,
    files: Files,
    images: Sequence[np.ndarray],
    labeled: Dataset | None,
    allowed: Limits,
    out: Path,
    progress: Progress,
) -> dict[str, Any]:
    """What the file and the weights have in common, with their times. Raises ExportError where it is too little."""
    exported, raw_file = ExportedNetwork(files.file), ExportedNetwork(files.raw)
    precision = exported.card.precision
    spots = probes(original.model.settings.image_size_px)
    raw = compare_raw(original, raw_file, images)
    found = raw_violations(raw, allowed)
    if precision != "int8":  # of int8 the graph was compared before; spots are outside of its ranges
        found = found or raw_violations(compare_raw(original, raw_file, spots), allowed)
    if exported.card.suppresses and nms_difference(exported, raw_file, [*images[:2], *spots[:2]]) > MAX_NMS_DIFFERENCE:
        found.append("its non-maximum suppression leaves other detections")
    seen = compare_detections(original, exported, images, progress)
    scores = None if labeled is None or found else compare_map(original, exported, labeled, progress)
    found += violations(seen, allowed, map_loss=None if scores is None else scores["loss"])
    if found:
        raise _differs(precision, found, out)
    networks: dict[str, Network] = {"weights": original, "file": exported}
    if files.fp32.exists():
        networks["fp32"] = ExportedNetwork(files.fp32)
    with progress("timing"):
        times = median_ms(networks, images)
    return {
        "agreement": asdict(seen),
        "raw_agreement": asdict(raw),
        "map": scores,
        "ms_per_image": times,
        "times_as_fast_as_fp32": times["fp32"] / times["file"] if "fp32" in times else None,
    }


def _differs(precision: str, found: Sequence[str], where: str | Path) -> ExportError:
    return ExportError(
        f"the {precision} file does not detect what the weights detect: {'; '.join(found)}",
        where=where,
        fix="Report this with the versions of torch, onnx and the runtime, and try other versions."
        if precision == "fp32"
        else "Name more images like those that the file will be used on, or use another --precision.",
    )
