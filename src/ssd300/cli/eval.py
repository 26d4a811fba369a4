"""`ssd300 eval`: mAP of weights, or of stored predictions, on labelled images."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300 import run_layout
from ssd300.cli.options import DataFormat, Json, Switch, Weights, device_for, print_json, read_classes, say
from ssd300.errors import UsageError

if TYPE_CHECKING:
    from ssd300.evaluation.error_analysis import Failures
    from ssd300.evaluation.rule_variants import Alternative
    from ssd300.evaluation.scoring import Report, Score
    from ssd300.metrics.voc_rules import Protocol


def eval_(
    *data: Path,
    weights: Weights | None = None,
    predictions: Path | None = None,
    metric: Annotated[tuple[Literal["voc07", "voc12", "coco"], ...], Parameter(consume_multiple=True, negative="")] = (
        "voc07",
    ),
    voc07_thresholds: Literal["exact", "float64"] = "exact",
    overlap: Literal["at-least", "above"] = "at-least",
    pixels: Literal["inclusive", "differences"] = "inclusive",
    difficult: Literal["ignored", "counted", "dropped"] = "ignored",
    referee: Switch = False,
    failures: Switch = False,
    out: Path | None = None,
    overwrite: Switch = False,
    min_score: Annotated[float | None, Parameter(name=["--min-score", "--conf"])] = None,
    max_overlap: Annotated[float | None, Parameter(name=["--max-overlap", "--iou"])] = None,
    top_k: Annotated[int | None, Parameter(name=["--top-k", "--max-det"])] = None,
    ids_of: Path | None = None,
    on_bad_prediction: Literal["error", "skip"] = "error",
    split: str | None = None,
    classes: Path | None = None,
    format_: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    on_bad_image: Literal["error", "skip"] = "error",
    device: str = "auto",
    json_: Json = False,
) -> None:
    """Evaluate weights, or stored predictions, on labelled images.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, lists; the test or val split is taken.
    weights
        A run folder or a .safetensors file.
    predictions
        Stored detections instead: a folder of comp4_det_*_<class>.txt, a detections.jsonl, COCO results, FiftyOne's
        labels.json, or a folder of YOLO's text files or VOC's XML files with scores.
    metric
        'voc07' is the mean of 11 points, 'voc12' the area under the curve, 'coco' the mean over IoU 0.5 to 0.95 (the
        extra 'coco'); several may be named.
    voc07_thresholds
        How recall meets the 11 points: 'exact', or 'float64' as most published Python numbers are.
    overlap
        Of the VOC metrics: a detection must reach an IoU of 0.5 with an object, or lie 'above' it.
    pixels
        Of the VOC metrics: 'inclusive' counts both ends of a box, as VOC does; 'differences' leaves the one out.
    difficult
        Of the VOC metrics: difficult objects are 'ignored', as VOC does, 'counted' as others, or 'dropped' beforehand.
    referee
        Say what each choice by which evaluators differ would make of the first metric.
    failures
        Say which kinds of error there are and what mending each would add, and how it is by size of the object.
    out
        A folder for report.html, with curves, failures and the worst images; the scores; and all detections.
    overwrite
        Write into a folder that is not empty.
    min_score
        Lowest score of a detection; left out, 0.01 with weights, and all stored ones.
    max_overlap
        A box that overlaps a better one of its class by more is suppressed; left out, 0.45. Of weights alone.
    top_k
        Most detections an image; left out, 200 with weights, and all stored ones.
    ids_of
        The COCO annotations whose ids COCO results use; left out, those of the data.
    on_bad_prediction
        What a stored detection of an unknown image or class, or without a number, gets; 'skip' counts it.
    split
        Another split.
    classes
        A file with one class a line.
    format_
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    on_bad_image
        What an image that cannot be read gets; 'skip' leaves it and its objects out, and counts it.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    json_
        Print one JSON object and nothing else.
    """
    if weights is not None and predictions is not None:
        raise UsageError("--weights and --predictions exclude each other", fix="Give one of them.")
    if weights is None and predictions is None:
        raise UsageError("eval needs --weights or --predictions", fix="Give one of them.")
    if predictions is not None and max_overlap is not None:
        raise UsageError("stored detections are suppressed already", fix="Leave --max-overlap out.")
    if out is not None:
        from ssd300.system.files import check_output_free

        check_output_free(out, overwrite=overwrite)
    from ssd300.data import load_dataset
    from ssd300.types import Selection

    try:
        given: dict[str, Any] = {"min_score": min_score, "max_overlap": max_overlap, "top_k": top_k}
        selection = Selection(**{name: value for name, value in given.items() if value is not None})
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
    from ssd300.evaluation.evaluator import evaluate
    from ssd300.evaluation.scoring import score
    from ssd300.metrics.voc_rules import VocRules

    rules = VocRules(overlap=overlap, pixels=pixels, difficult=difficult, voc07_thresholds=voc07_thresholds)

    if predictions is not None:
        from ssd300.data.formats.coco import coco_files
        from ssd300.data.predictions.read import read_predictions

        if ids_of is None and len(data) == 1:
            ids_of = coco_files(data[0]).get(dataset.split)
        stored = read_predictions(
            predictions, dataset.annotations, dataset.classes, ids_of=ids_of, on_bad=on_bad_prediction
        )
        say(stored.notes)
        table = stored.table
        if min_score is not None:
            table = table.select(table.scores > min_score)
        if top_k is not None:
            table = table.select(table.best_of_each_image(top_k))
        report = score(dataset, table, metrics=metric, rules=rules)
    else:
        report = evaluate(
            str(weights),
            dataset,
            metrics=metric,
            rules=rules,
            selection=selection,
            on_bad_image=on_bad_image,
            device=device_for(str(weights), device),
        )
        say(f"skipped: {image}" for image in report.skipped)
    where: Failures | None = None
    if failures or out is not None:
        from ssd300.evaluation.error_analysis import find_failures

        voc_metric: Protocol = next((name for name in metric if name != "coco"), "voc07")
        where = find_failures(report.dataset, report.detections, metric=voc_metric, rules=rules)
        if out is not None:
            _write_folder(out, report, where, source=weights or str(predictions), overwrite=overwrite)
    judged: list[Alternative] = []
    if referee:
        from ssd300.evaluation.rule_variants import alternatives

        judged = alternatives(report.dataset, report.detections, metric=metric[0], rules=rules)
    if json_:
        more: dict[str, Any] = {"referee": [asdict(one) for one in judged]} if referee else {}
        if failures and where is not None:
            more["failures"] = where.to_dict()
        print_json(report.to_dict() | more)
        return
    for number, result in enumerate(report.scores):
        sys.stdout.write("\n" if number else "")
        _print_table(result, report.images)
    if judged:
        _print_alternatives(judged)
    if failures and where is not None:
        _print_failures(where)
    if out is not None:
        sys.stdout.write(f"look at {out / run_layout.REPORT}\n")
    if report.skipped:
        sys.stdout.write(f"{len(report.skipped)} image(s) could not be read and were left out\n")


def _print_table(score: "Score", images: int) -> None:
    width = max(map(len, [*score.per_class, "class"]))
    sys.stdout.write(f"{'class':{width}}  {'AP':>6}  {'objects':>8}  {'detections':>10}\n")
    for name, result in score.per_class.items():
        ap = "-" if result.ap is None else f"{result.ap:.4f}"
        sys.stdout.write(f"{name:{width}}  {ap:>6}  {result.objects:8}  {result.detections:10}\n")
    mean = "-" if score.map is None else f"{score.map:.4f}"
    sys.stdout.write(f"\nmAP {mean}  ({score.metric}, {images} images)\n")
    for name, value in score.numbers.items():
        sys.stdout.write(f"{name:{width}}  {'-' if value is None else f'{value:.4f}':>6}\n")
    absent = [name for name, result in score.per_class.items() if result.ap is None]
    if absent:
        say([f"left out of the mean, as no object counts: {', '.join(absent)}"])


def _write_folder(out: Path, report: "Report", where: "Failures", *, source: str, overwrite: bool) -> None:
    from importlib.metadata import version

    from ssd300.evaluation.saving import store_evaluation
    from ssd300.reporting.evaluation import evaluation_page
    from ssd300.reporting.html import write_report
    from ssd300.system.files import whole_folder, write_json

    facts = [("detections of", source), ("command", shlex.join(sys.argv)), ("ssd300", version("ssd300"))]
    with whole_folder(out, overwrite=overwrite) as folder:
        store_evaluation(folder, report)
        write_json(folder / run_layout.SCORES, report.to_dict())
        write_json(folder / run_layout.ERRORS, where.to_dict())
        page = evaluation_page(report, where, title=f"Evaluation of {Path(source).name}", facts=facts)
        write_report(folder / run_layout.REPORT, page)


def _print_failures(where: "Failures") -> None:
    from ssd300.evaluation.scoring import SHOWN_SCORE

    sys.stdout.write(f"\n{'kind of error':13}  {'shown':>6}  mAP rises by, if mended\n")
    for name, kind in where.kinds.items():
        sys.stdout.write(f"{name:13}  {kind.shown:6}  {'-' if kind.gain is None else f'{kind.gain:+.4f}':>7}\n")
    sys.stdout.write(f"\n{'size':13}  {'AP':>6}  {'objects':>8}  {'found':>8}\n")
    for name, size in where.sizes.items():
        ap = "-" if size.map is None else f"{size.map:.4f}"
        sys.stdout.write(f"{name:13}  {ap:>6}  {size.objects:8}  {size.found:8}\n")
    sys.stdout.write(f"({where.metric}; shown and found: scores from {SHOWN_SCORE:g})\n")


def _print_alternatives(judged: "list[Alternative]") -> None:
    width = max(len(one.choice) for one in judged)
    sys.stdout.write(f"\n{'what another choice makes of it':{width}}  {'mAP':>6}  {'moves by':>8}  classes moved\n")
    for one in judged:
        value = "-" if one.map is None else f"{one.map:.4f}"
        moved = "-" if one.difference is None else f"{one.difference:+.4f}"
        sys.stdout.write(f"{one.choice:{width}}  {value:>6}  {moved:>8}  {one.classes:13}\n")
