"""`ssd300 export`: weights as a file for ONNX Runtime or OpenVINO."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from ssd300.cli.options import DataFormat, Json, Switch, Weights, print_json, say
from ssd300.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssd300.data import Dataset

DRAWN = 32


def export(
    *data: Path,
    weights: Weights,
    format_: Literal["onnx", "openvino"] = "onnx",
    precision: Literal["fp32", "bf16", "int8"] = "fp32",
    out: Path,
    images: Path | None = None,
    nms: bool = True,
    max_map_loss: float | None = None,
    split: str | None = None,
    data_format: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Export weights to ONNX or OpenVINO; the file is compared with them on images.

    The file holds preprocessing, default boxes, decoding, class names and, for ONNX, suppression. It is run on images
    and compared with the weights; if it differs it is not kept, and the exit code is 5. What was compared is in
    parity.json beside it.

    Parameters
    ----------
    data
        Labelled images: mAP before and after is compared on them too. PASCAL VOC, COCO, YOLO or lists.
    weights
        A run folder, a .safetensors file, or a name.
    format_
        'onnx' or 'openvino'.
    precision
        'int8' takes its ranges from the images; 'bf16' is for OpenVINO alone.
    out
        The file: .onnx, or .xml, with its .bin beside it.
    images
        A folder of images such as the file will see; left out, those of the data, or else drawn ones.
    nms
        Suppression inside an ONNX file; without it the file gives all boxes and scores.
    max_map_loss
        The largest loss of mAP that is let through, 0..1.
    split
        Another split of the data; left out, test or val.
    data_format
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    overwrite
        Replace the file and parity.json.
    json_
        Print parity.json's content and nothing else.
    """
    from ssd300.export.exporting import PARITY

    for file in (out, out.with_name(PARITY)):
        if file.exists() and not overwrite:
            raise UsageError("the file exists", where=file, fix="Name another --out folder, or add --overwrite.")
    from dataclasses import replace

    from ssd300.export import export as export_weights
    from ssd300.export.parity import LIMITS

    limits = LIMITS[precision] if max_map_loss is None else replace(LIMITS[precision], map_loss=max_map_loss)
    labelled = None
    if data:
        from ssd300.data import load_dataset

        labelled = load_dataset(*data, split=split, format=data_format, on_bad_label=on_bad_label, purpose="test")
        say(labelled.notes)
    with TemporaryDirectory() as folder:
        report = export_weights(
            weights,
            out,
            format=format_,
            precision=precision,
            image_paths=_images(images, labelled, Path(folder)),
            labelled=labelled,
            suppress=nms,
            limits=limits,
        )
    if json_:
        print_json(report)
        return
    _print(out, report)


def _images(folder: Path | None, labelled: "Dataset | None", temporary: Path) -> list[Path]:
    """The images to compare on and to take ranges from."""
    if folder is not None:
        from ssd300.images.read import SUFFIXES

        if not folder.is_dir():
            raise DataError("there is no such folder", where=folder, fix="Name a folder of images.")
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise DataError("the folder has no images", where=folder, fix="Name another folder.")
        return found
    if labelled is not None:
        return [annotation.image_path for annotation in labelled.annotations]
    from ssd300.data.synthetic import write_synthetic_dataset

    say([f"no images were named: {DRAWN} drawn ones are taken; name --images of the kind that the file will see"])
    write_synthetic_dataset(temporary, train=0, test=DRAWN)
    return sorted((temporary / "JPEGImages").glob("*.jpg"))


def _print(out: Path, report: dict[str, Any]) -> None:
    seen, times, scores = report["agreement"], report["ms_per_image"], report["map"]
    sys.stdout.write(
        f"{out}: {report['bytes'] / 1e6:.1f} MB, {report['precision']}\n"
        f"{seen['images']} images, {seen['detections']} detections: {seen['found']:.1%} have a partner, "
        f"scores within {seen['score']:.2g}, boxes within {seen['box']:.2g}\n"
        f"{times['file']:.1f} ms an image, {times['weights']:.1f} ms by the weights\n"
    )
    if scores is not None and scores["loss"] is not None:
        sys.stdout.write(
            f"mAP {scores['file']:.4f}, {scores['weights']:.4f} by the weights ({scores['metric']}, "
            f"{scores['images']} images)\n"
        )
