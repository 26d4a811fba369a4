"""An export from start to end: graph, precision, metadata, comparison with the weights, and only then the file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.detection.detector import Detector
from ssd300.detection.network import detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import ExportError, UsageError
from ssd300.export.building import SUFFIXES, Format, Int8, in_8_bits, write_raw, write_with_nms
from ssd300.export.calibration import Calibration, distance_from_training
from ssd300.export.graph import to_onnx
from ssd300.export.images import spread
from ssd300.export.opset import OPSET, at_opset
from ssd300.export.parity import LIMITS, Limits
from ssd300.export.place import put, reserved
from ssd300.export.record import record_path
from ssd300.export.reference import Files, Reference, check_graph, differs
from ssd300.images.read import read_image
from ssd300.images.resize import to_size
from ssd300.runtime import ExportedNetwork, Manifest
from ssd300.runtime.manifest import THRESHOLDS_INSIDE, Precision
from ssd300.system.files import write_json
from ssd300.system.progress import Progress, numbered, silent
from ssd300.system.temporary import temporary_folder
from ssd300.types import Selection
from ssd300.weights import Card, load_weights
from ssd300.weights.card import SSD_HEADS

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
    if precision != "int8":  # its files are made one after the other until one is good
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
        calibration = _calibration(original, images, selection, out) if precision == "int8" else None
    allowed = limits or LIMITS[precision]
    writer = _Writer(out.name, format, opset, selection)
    with reserved(out), temporary_folder() as folder:
        compared = spread(images, MAX_COMPARED_IMAGES)
        reference = Reference(original, compared, labeled, allowed, progress)
        candidates: Iterable[tuple[Files, Int8 | None]]
        fp32 = None
        if precision == "int8":
            in_fp32 = writer.write(proto, folder / "fp32", replace(manifest, precision="fp32"))
            check_graph(original, ExportedNetwork(in_fp32.raw), compared, out.name)
            fp32 = in_fp32.file
            candidates = _int8_files(proto, images, writer, folder, manifest, progress)
        else:
            with progress("writing the file"):
                candidates = [(writer.write(proto, folder, manifest), None)]
        files, int8, results, refused = _first_good(candidates, reference, precision, out)
        parts = sorted(files.file.parent.glob(f"{files.file.stem}.*"))
        report = {
            "file": out.name,
            "format": format,
            "precision": precision,
            "nms": nms,
            "bytes": sum(part.stat().st_size for part in parts),
            **results,
            **reference.times(files.file, fp32),
            "float32_layers": None if int8 is None else list(int8.float32_layers),
            "float32_search": None if int8 is None else {"moved": int8.moved, "out_of_time": int8.out_of_time},
            "calibration": None if calibration is None else asdict(calibration),
            "notes": [
                *(note for part in (calibration, int8) if part is not None for note in part.notes()),
                *(f"a file with fewer layers in float32 was refused: {why}" for why in refused),
            ],
            "limits": asdict(allowed),
        }
        put(parts, out)
        write_json(record_path(out), report)
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
        source={**_layers_beyond(card), **card.source},
        format_version=1 if top_k is None else THRESHOLDS_INSIDE,
    )


def _layers_beyond(card: Card) -> dict[str, str]:
    """The backbone and the heads of the weights, where the name of the model does not say them.

    They go into the manifest's `source`: an older ssd300 reads it, and refuses an entry of its own that it lacks.
    """
    beyond = {} if card.backbone is None else {"backbone": card.backbone}
    return beyond if card.heads == SSD_HEADS else {**beyond, "heads": card.heads}


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


class _Good(NamedTuple):
    """A file that detects what the weights detect; `refused` says why the ones before it do not."""

    files: Files
    int8: Int8 | None
    results: dict[str, Any]
    refused: list[str]


def _first_good(
    candidates: Iterable[tuple[Files, Int8 | None]], reference: Reference, precision: Precision, out: Path
) -> _Good:
    """The first of at least one candidate that exceeds no limit. Raises ExportError if all do."""
    refused: list[str] = []
    for files, int8 in candidates:
        violations, results = reference.compare(files)
        if not violations:
            return _Good(files, int8, results, refused)
        refused.append("; ".join(violations))
    raise differs(precision, refused[-1], out)


class _Writer(NamedTuple):
    """Writes graphs into temporary folders, as files of one kind."""

    name: str
    format: Format
    opset: int
    selection: Selection

    def write(self, graph: Any, folder: Path, manifest: Manifest) -> Files:
        """The file, and the same without non-maximum suppression."""
        if self.format == "onnx":
            graph = at_opset(graph, self.opset)
        files = Files(folder / "file" / self.name, folder / "raw" / self.name)
        write_raw(graph, files.raw, manifest, self.selection)
        if not manifest.suppresses:
            return Files(files.raw, files.raw)
        write_with_nms(graph, files.file, manifest, self.selection)
        return files


def _int8_files(
    proto: Any,
    images: Sequence[np.ndarray],
    writer: _Writer,
    folder: Path,
    manifest: Manifest,
    progress: Progress,
) -> Iterator[tuple[Files, Int8]]:
    """Files in 8 bits, each with more layers in float32 than the one before."""
    batches = [to_size(image, manifest.image_size_px, manifest.resize)[None] for image in images]
    for number, int8 in enumerate(in_8_bits(proto, writer.format, batches, progress)):
        described = replace(manifest, float32_layers=int8.float32_layers)
        yield writer.write(int8.model, folder / str(number), described), int8
