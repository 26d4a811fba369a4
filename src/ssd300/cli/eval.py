"""`ssd300 eval`: mAP of weights, or of stored predictions, on annotated images."""

import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.early_checks import check_device, check_weights
from ssd300.cli.eval_summary import as_dict, print_evaluation
from ssd300.cli.help import OUTPUT
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps, the_picture
from ssd300.cli.options import (
    DataOptions,
    DetectingOptions,
    Json,
    OutFolder,
    Overwrite,
    PredictionOptions,
    SelectionOptions,
    SeveralOf,
    Switch,
    Usual,
    VocRuleOptions,
    Weights,
    print_json,
    say,
    say_device,
    words_of,
)
from ssd300.cli.shard_options import ShardOptions
from ssd300.cli.weights_words import is_run_or_weights, missing_weights
from ssd300.errors import DataError, install_hint
from ssd300.reporting.next_steps import command
from ssd300.system.files import check_output_free, free_folder, spelled_like
from ssd300.system.progress import shown
from ssd300.system.stores import is_remote

if TYPE_CHECKING:
    from ssd300.evaluation.resampling import Interval
    from ssd300.evaluation.scoring import Report
    from ssd300.metrics.voc_rules import VocRules

Metric = Literal["voc07", "voc12", "coco"]
METRIC: tuple[Metric, ...] = ("voc07",)
Metrics = Annotated[
    tuple[Metric, ...],
    SeveralOf,
    Usual,
]


def eval_(
    *data: Path,
    weights: Weights | None = None,
    predictions: Annotated[str | None, Usual, Parameter(metavar="PATH")] = None,
    metric: Metrics = METRIC,
    rules: VocRuleOptions = VocRuleOptions(),  # frozen
    interval: Annotated[Switch, Parameter(group=OUTPUT)] = False,
    rule_variants: Annotated[Switch, Parameter(name=["--referee", "--rule-variants"], group=OUTPUT)] = False,
    errors: Annotated[Switch, Parameter(name=["--failures", "--errors"], group=OUTPUT)] = False,
    out: OutFolder | None = None,
    overwrite: Overwrite = False,
    selection: SelectionOptions = SelectionOptions(),  # frozen
    reader: PredictionOptions = PredictionOptions(),  # frozen
    reading: DataOptions = DataOptions(),  # frozen
    shards: ShardOptions = ShardOptions(),  # frozen
    detecting: DetectingOptions = DetectingOptions(),  # frozen
    json_: Json = False,
) -> None:
    """Measure the mAP of weights, or of stored predictions.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined. Or the
        folder or address of shards.
    weights
        A run folder, a .safetensors file, an exported .onnx or .xml file, or a name of published weights.
    predictions
        Instead of weights: stored predictions. A folder of comp4_det_*_<class>.txt, detections.jsonl or
        detections.json, COCO results or COCO annotations with scores, FiftyOne's labels.json, or a folder of YOLO text
        files or VOC XML files with scores; or a Parquet file, or a folder of parts in Parquet or JSON lines, as
        detection in bulk writes it, here or at an address such as s3://bucket/job. Millions of detections are scored in
        blocks, in bounded memory.
    metric
        One or more. voc07: mean precision at 11 recalls, voc12: area under the curve, both at IoU 0.5; coco: mean over
        IoU 0.5 to 0.95, which needs the extra coco.
    rules
        The rules of the VOC metrics.
    interval
        Print how much the mAP would vary with other such images: what holds 95 % of 2,000 resamples of the images. For
        voc07 and voc12.
    rule_variants
        Print the mAP, by the first metric, under the rules that other evaluators use.
    errors
        Print the kinds of error, the mAP gained if each were corrected, and the mAP by object size.
    out
        Write a folder with report.html (curves, errors, worst images), the scores, and all detections. Default: no
        folder.
    overwrite
        Write into a folder that is not empty.
    selection
        Which detections are evaluated.
    reader
        How stored predictions are read.
    reading
        How the dataset is read.
    shards
        How shards are read.
    detecting
        How the weights detect.
    json_
        Print one JSON object and nothing else.
    """
    mistakes = Mistakes()
    _check(mistakes, data, weights, predictions, selection, metric)
    if interval and set(metric) == {"coco"}:
        mistakes.add("--interval is for voc07 and voc12", fix="Add one of them to --metric, or leave out --interval.")
    chosen = selection.selection(mistakes)
    if out is not None:
        with mistakes.caught():
            check_output_free(out, overwrite=overwrite, inputs=[*data, *([weights] if weights else [])])
    data = tuple(path for path in data if not is_run_or_weights(str(path)))
    if weights is not None:
        check_device(mistakes, weights, detecting.device)
    cache = shards.cache(mistakes)
    with mistakes.caught():
        dataset = reading.load(data, "test", require_images=predictions is None, shard_cache=cache)
    if weights is not None:
        check_weights(mistakes, weights)
    mistakes.raise_all()

    from ssd300.evaluation.error_analysis import analyze_errors
    from ssd300.evaluation.rule_variants import rule_variants as variants_of

    scoring: dict[str, Any] = {"metrics": metric, "rules": rules.rules()}
    if predictions is not None:
        from ssd300.data.other_splits import images_of_other_splits
        from ssd300.evaluation.stored import evaluate_stored

        report = evaluate_stored(
            predictions if is_remote(predictions) else Path(predictions),
            dataset,
            **scoring,
            min_score=selection.min_score,
            top_k=selection.top_k,
            ids_of=reader.ids_of,
            on_bad=reader.on_bad_prediction,
            other_splits=lambda: images_of_other_splits(data, dataset.split, reading.format),
            hold=interval or rule_variants or errors or out is not None,
            progress=shown,
        )
    else:
        from ssd300.evaluation.evaluator import evaluate

        say_device(str(weights), detecting.device)
        report = evaluate(
            str(weights),
            dataset,
            **scoring,
            selection=chosen,
            on_bad_image=detecting.on_bad_image,
            device=detecting.device,
        )
    say([*report.notes, *(f"skipped: {image}" for image in report.skipped)])
    intervals: dict[str, Interval | None] = {}
    analysis = variants = None
    if report.held is None:
        _leave_out(report, interval=interval, rule_variants=rule_variants, errors=errors, out=out, overwrite=overwrite)
    else:
        intervals = _intervals(report, metric, rules.rules()) if interval else {}
        if errors or out is not None:
            with shown("analyzing the errors"):
                analysis = analyze_errors(report.dataset, report.detections, min_scores=report.min_scores, **scoring)
        if rule_variants:
            with shown("measuring by other rules"):
                variants = variants_of(report.dataset, report.detections, metric=metric[0], rules=scoring["rules"])
    if out is not None and analysis is not None:
        from ssd300.reporting.evaluation import write_evaluation

        source, typed = str(weights or predictions), shlex.join(sys.argv)
        with shown("writing the report"):
            notes = write_evaluation(out, report, analysis, source=source, command=typed, overwrite=overwrite)
        say(notes)
    printed = analysis if errors else None
    if json_:
        print_json(as_dict(report, intervals, variants, printed))
    else:
        print_evaluation(report, intervals, variants, printed, out if report.held is not None else None)
        if weights is not None:
            look = command(
                "eval",
                *data,
                "--weights",
                weights,
                *(() if metric == METRIC else ("--metric", *metric)),
                *(word for options in (rules, selection, reading, shards, detecting) for word in words_of(options)),
                "--out",
                free_folder(Path("evaluation")),
            )
            next_steps(
                [
                    (command("detect", the_picture(report.dataset), "--weights", weights), "boxes on an image"),
                    *([(look, "curves, and the images with most errors")] if out is None else []),
                ]
            )


def _check(
    mistakes: Mistakes,
    data: Sequence[Path],
    weights: str | None,
    predictions: str | None,
    selection: SelectionOptions,
    metric: Sequence[str],
) -> None:
    inside = [str(path) for path in data if is_run_or_weights(str(path))]
    if weights is not None and predictions is not None:
        mistakes.add("--weights and --predictions exclude each other", fix="Give one of them.")
    if weights is None and predictions is None:
        mistakes.errors.append(missing_weights(mistakes.words, "eval needs --weights or --predictions"))
    elif inside:
        mistakes.add(f"{inside[0]} is weights and no data", fix="Name it with --weights, or leave it out.")
    if predictions is not None and selection.max_overlap is not None:
        mistakes.add("--max-overlap is only for weights: no NMS runs on stored predictions", fix="Leave it out.")
    if predictions is not None and not is_remote(predictions) and not Path(predictions).exists():
        known = "Name what `ssd300 detect` wrote, such as detections.jsonl, or another detector's results."
        fix = spelled_like(Path(predictions), known)
        mistakes.errors.append(DataError("there are no such predictions", where=predictions, fix=fix))
    if "coco" in metric and find_spec("faster_coco_eval") is None:
        mistakes.add("--metric coco needs faster-coco-eval", fix=install_hint("coco"))


def _leave_out(
    report: "Report", *, interval: bool, rule_variants: bool, errors: bool, out: Path | None, overwrite: bool
) -> None:
    """Say which of the things that were asked for need a table of all detections; write the scores alone to `out`."""
    asked = {"--interval": interval, "--referee": rule_variants, "--failures": errors}
    if left_out := [option for option, is_asked in asked.items() if is_asked]:
        say([f"left out, as it needs a table of all detections: {', '.join(left_out)}"])
    if out is not None:
        from ssd300.evaluation.saving import write_scores

        files = write_scores(out, report, overwrite=overwrite)
        say([f"{out} has {' and '.join(files)}; left out, as they need a table of all detections: the page with its "
             "curves and errors, and the detections"])  # fmt: skip


def _intervals(report: "Report", metrics: Sequence[Metric], rules: "VocRules") -> "dict[str, Interval | None]":
    """The interval of each VOC metric, by its name."""
    from ssd300.evaluation.resampling import map_interval

    return {
        score.metric: map_interval(report.dataset, report.detections, metric=metric, rules=rules, progress=shown)
        for metric, score in zip(metrics, report.scores, strict=True)
        if metric != "coco"
    }
