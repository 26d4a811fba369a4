"""`ssd300 export`: weights as a file for ONNX Runtime or OpenVINO, or as a page that detects in the browser."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.early_checks import check_weights
from ssd300.cli.help import DATA
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps, the_picture
from ssd300.cli.options import (
    Classes,
    ClassFile,
    Json,
    OfData,
    OutFile,
    Overwrite,
    Split,
    Usual,
    Weights,
    print_json,
    read_classes,
    say,
)
from ssd300.cli.out_folder import check_is_folder_name
from ssd300.data.choices import FormatName, OnBadLabel
from ssd300.reporting.next_steps import command
from ssd300.system.files import check_file_free
from ssd300.system.progress import shown
from ssd300.system.temporary import temporary_folder
from ssd300.system.wording import plural, some

# Not `DataOptions`: its --format is the format of the data, and here that of the file.
LabelFormat = Annotated[FormatName, Parameter(name="--data-format", group=DATA)]
TRY_IT = "try it at http://localhost:8000, then copy the folder to any host of static files"
MEGA = 1e6
MUCH_FASTER = 1.1  # below that, other work on the machine may be the reason


def export(
    *data: Path,
    weights: Weights,
    format_: Annotated[Literal["onnx", "openvino", "web"], Usual] = "onnx",
    precision: Annotated[Literal["fp32", "bf16", "int8"], Usual] = "fp32",
    out: OutFile,
    images: Annotated[Path | None, Usual, Parameter(metavar="FOLDER")] = None,
    nms: Annotated[bool, Usual] = True,
    opset: Annotated[int | None, Usual] = None,
    max_map_loss: Annotated[float | None, Usual] = None,
    split: Split | None = None,
    data_format: LabelFormat = "auto",
    on_bad_label: Annotated[OnBadLabel, OfData] = "error",
    classes: ClassFile | None = None,
    only: Annotated[tuple[str, ...], Classes, OfData] = (),
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Export weights to ONNX, OpenVINO or a web page, and check it.

    Parameters
    ----------
    data
        Labeled images, on which mAP of the weights and of the file is compared: PASCAL VOC, COCO, YOLO or lists.
    weights
        A run folder, a .safetensors file, or a name.
    format_
        The format of the file; web is a folder with a page that detects in the browser, for any host of static files.
    precision
        int8 takes its ranges from the images; bf16 is for OpenVINO only.
    out
        The file: .onnx, or .xml with a .bin beside it; for web a folder.
    images
        A folder of images like those that the file will be used on. Default: those of the data, else synthetic ones.
    nms
        Put NMS into an ONNX file; without it, and for web, whose page does it, the file returns the boxes and scores of
        all default boxes.
    opset
        The opset of an ONNX file, 15..21 (int8: 15..20); older runtimes need a lower one. Default: 18, for ONNX
        Runtime 1.14 or later.
    max_map_loss
        The maximum loss of mAP, 0..1. Default: 0.001 for fp32, 0.005 for bf16 and int8.
    split
        The split of the data. Default: test or val.
    data_format
        The format of the data; auto recognizes it by its content.
    on_bad_label
        What to do with a box that is inverted, empty or outside its image: stop, drop the box, or drop the image.
    classes
        A text file with one class per line. Default: the classes of the data.
    only
        Keep the objects of these classes alone; the others are counted. Default: all.
    overwrite
        Replace the file and its record; for web the files of the same names.
    json_
        Print the record, as in parity.json, and nothing else.
    """
    from dataclasses import replace

    from ssd300.export import export as export_weights
    from ssd300.export.exporting import check_format
    from ssd300.export.images import choose_images
    from ssd300.export.opset import OPSET, check_opset
    from ssd300.export.parity import LIMITS
    from ssd300.site import export_site
    from ssd300.site.exporting import check_site

    mistakes = Mistakes()
    format_is_known = not mistakes.errors  # one that is wrong has its default here, which says nothing about --out
    with mistakes.caught():
        if format_ == "web":
            check_is_folder_name(None, out)
            check_site(out, precision, overwrite=overwrite)
        else:
            if format_is_known:
                check_format(out, format_, precision)
            check_file_free(out, "--out", overwrite=overwrite)
    if format_is_known:
        with mistakes.caught():
            check_opset(opset, "onnx" if format_ == "web" else format_, precision)
    if images is not None:
        with mistakes.caught():
            choose_images(images, None, Path())
    limits = LIMITS[precision] if max_map_loss is None else replace(LIMITS[precision], map_loss=max_map_loss)
    labeled = None
    if not data:
        of_data = {"--split": split, "--data-format": data_format, "--on-bad-label": on_bad_label}
        for option, value in (of_data | {"--classes": classes, "--only": only, "--max-map-loss": max_map_loss}).items():
            if value not in (None, "auto", "error", ()):
                mistakes.add(f"{option} is for DATA, which is not given", fix="Leave it out, or name labeled images.")
    if data:
        from ssd300.data import load_dataset

        with mistakes.caught(), shown("reading the dataset"):
            labeled = load_dataset(
                *data, split=split, format=data_format, on_bad_label=on_bad_label, classes=read_classes(classes),
                only=only or None, purpose="test",
            )  # fmt: skip
        if labeled is not None:
            say(labeled.notes)
    check_weights(mistakes, weights)
    mistakes.raise_all()
    with temporary_folder() as scratch:
        image_paths, notes = choose_images(images, labeled, scratch)
        say(notes)
        how: dict[str, Any] = {
            "precision": precision, "image_paths": image_paths, "labeled": labeled, "opset": opset or OPSET,
            "limits": limits, "progress": shown,
        }  # fmt: skip
        if format_ == "web":
            report = export_site(weights, out, **how)
        else:
            report = export_weights(weights, out, format=format_, nms=nms, **how)
    say(report["notes"])
    if json_:
        print_json(report)
        return
    _print(out, report)
    if format_ == "web":
        next_steps([(shlex.join(["python", "-m", "http.server", "--directory", str(out)]), TRY_IT)])
        return
    image = the_picture(labeled) if images is None else image_paths[0]
    next_steps([(command("detect", image, "--weights", out), "boxes on an image, with this file")])


def _print(out: Path, report: dict[str, Any]) -> None:
    from ssd300.metrics.words import map_in_words

    seen, scores = report["agreement"], report["map"]
    sys.stdout.write(f"{out}: {_size_in_words(report)}, {report['precision']}\n{_agreement_in_words(seen)}\n")
    sys.stdout.write(_times_in_words(report))
    if scores is not None and scores["loss"] is not None:
        sys.stdout.write(
            f"{map_in_words(scores['metric'], scores['file'])}, on {plural(scores['images'], 'image')}; "
            f"{scores['weights']:.4f} with the weights\n"
        )


def _size_in_words(report: dict[str, Any]) -> str:
    site = report.get("site")
    if site is None:
        return f"{report['bytes'] / MEGA:.1f} MB"
    return f"{site['bytes'] / MEGA:.1f} MB, compressed {site['compressed_bytes'] / MEGA:.1f} MB"


def _times_in_words(report: dict[str, Any]) -> str:
    """Nothing for a site: a browser is slower, and there int8 is slower than fp32."""
    if "site" in report:
        return ""
    times = report["ms_per_image"]
    int8 = "" if report["times_as_fast_as_fp32"] is None else _int8_in_words(report)
    return f"time per image: {times['file']:.1f} ms, {times['weights']:.1f} ms with the weights\n{int8}"


def _int8_in_words(report: dict[str, Any]) -> str:
    """Whether int8 pays on this machine, and what is not in 8 bits."""
    ratio = report["times_as_fast_as_fp32"]
    if ratio >= MUCH_FASTER:
        speed = f"int8 is {ratio:.1f} times as fast as fp32 here: this file is the fastest"
    elif ratio > 1:
        speed = f"int8 is hardly faster than fp32 here ({ratio:.2f} times as fast)"
    else:
        speed = f"int8 is slower than fp32 here ({ratio:.2f} times as fast): use --precision fp32 on this machine"
    layers = report["float32_layers"]
    return f"{speed}\nin float32 for the sake of accuracy: {plural(len(layers), 'layer')} ({some(layers)})\n"


def _agreement_in_words(seen: dict[str, Any]) -> str:
    from ssd300.export.parity import QUANTILE

    on = f"on {plural(seen['images'], 'image')}"
    if not seen["detections"]:
        return (
            f"compared with the weights {on}: raw scores and boxes agree; neither detects an object, so name --images "
            "that have some to compare detections too"
        )
    return (
        f"compared with the weights {on}: both find {seen['found']:.1%} of {plural(seen['detections'], 'detection')}; "
        f"for {QUANTILE:.0%} of these, scores differ by at most {seen['score']:.2g}, "
        f"boxes by {seen['box']:.2g} (1 - IoU)"
    )
