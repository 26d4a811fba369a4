"""`ssd300 eval`: mAP of weights, or of stored predictions, on labelled pictures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ssd300.cli.options import DataFormat, Json, Weights, print_json, read_classes, say
from ssd300.errors import UsageError

if TYPE_CHECKING:
    from ssd300.evaluation import Score


def eval_(
    *data: Path,
    weights: Weights | None = None,
    predictions: Path | None = None,
    metric: Annotated[tuple[Literal["voc07", "voc12"], ...], Parameter(consume_multiple=True, negative="")] = (
        "voc07",
    ),
    voc07_thresholds: Literal["exact", "float64"] = "exact",
    min_score: Annotated[float, Parameter(name=["--min-score", "--conf"])] = 0.01,
    max_overlap: Annotated[float, Parameter(name=["--max-overlap", "--iou"])] = 0.45,
    top_k: Annotated[int, Parameter(name=["--top-k", "--max-det"])] = 200,
    split: str | None = None,
    classes: Path | None = None,
    format_: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    on_bad_image: Literal["error", "skip"] = "error",
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Evaluate weights, or stored predictions, on labelled pictures.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, lists; the test or val split is taken.
    weights
        A run folder or a .safetensors file.
    predictions
        Stored detections instead: a folder of comp4_det_*_<class>.txt, or a detections.jsonl.
    metric
        'voc07' is the mean of 11 points, 'voc12' the area under the curve; several may be named.
    voc07_thresholds
        How recall meets the 11 points: 'exact', or 'float64' as most published Python numbers are.
    min_score
        Lowest score of a detection.
    max_overlap
        A box that overlaps a better one of its class by more is suppressed.
    top_k
        Most detections a picture.
    split
        Another split.
    classes
        A file with one class a line.
    format_
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    on_bad_image
        What a picture that cannot be read gets; 'skip' leaves it and its objects out, and counts it.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    if (weights is None) == (predictions is None):
        raise UsageError("eval needs either --weights or --predictions", fix="Give one of them.")
    from ssd300.data import load_dataset
    from ssd300.model.postprocess import Selection

    try:
        selection = Selection(min_score=min_score, max_overlap=max_overlap, top_k=top_k)
    except ValueError as error:
        raise UsageError(str(error), fix="See `ssd300 eval --help`.") from error
    known = read_classes(classes)
    dataset = load_dataset(
        *data,
        split=split,
        classes=known,
        format=format_,
        on_bad_label=on_bad_label,
        purpose="test",
        require_images=predictions is None,
    )
    say(dataset.notes)
    from ssd300.evaluation import evaluate, score

    if predictions is not None:
        from ssd300.data.predictions import read_predictions

        stored = read_predictions(predictions, dataset.annotations, dataset.classes)
        say(stored.notes)
        report = score(dataset, stored.table, metrics=metric, voc07_thresholds=voc07_thresholds)
    else:
        from ssd300.training.device import choose_device

        report = evaluate(
            str(weights),
            dataset,
            metrics=metric,
            voc07_thresholds=voc07_thresholds,
            selection=selection,
            on_bad_image=on_bad_image,
            device=choose_device(device),
        )
        say(f"skipped: {picture}" for picture in report.skipped)
    if json_:
        print_json(report.to_dict())
        return
    for number, result in enumerate(report.scores):
        sys.stdout.write("\n" if number else "")
        _print_table(result, report.images)
    if report.skipped:
        sys.stdout.write(f"{len(report.skipped)} picture(s) could not be read and were left out\n")


def _print_table(score: "Score", images: int) -> None:
    width = max(map(len, [*score.per_class, "class"]))
    sys.stdout.write(f"{'class':{width}}  {'AP':>6}  {'objects':>8}  {'detections':>10}\n")
    for name, result in score.per_class.items():
        ap = "-" if result.ap is None else f"{result.ap:.4f}"
        sys.stdout.write(f"{name:{width}}  {ap:>6}  {result.objects:8}  {result.detections:10}\n")
    mean = "-" if score.map is None else f"{score.map:.4f}"
    sys.stdout.write(f"\nmAP {mean}  ({score.metric}, {images} images)\n")
    absent = [name for name, result in score.per_class.items() if result.ap is None]
    if absent:
        say([f"left out of the mean, as no object counts: {', '.join(absent)}"])
