"""What `ssd300 eval` prints: scores, their intervals, rule variants and errors, as text or JSON values."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd300 import run_layout
from ssd300.cli.options import say
from ssd300.system.wording import counted, plural

if TYPE_CHECKING:
    from ssd300.evaluation.error_analysis import ErrorAnalysis
    from ssd300.evaluation.resampling import Interval
    from ssd300.evaluation.rule_variants import RuleVariant
    from ssd300.evaluation.scoring import Report, Score

Intervals = Mapping[str, "Interval | None"]  # by metric


def as_dict(
    report: "Report",
    intervals: Intervals,
    variants: "list[RuleVariant] | None",
    analysis: "ErrorAnalysis | None",
) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if intervals:
        more["intervals"] = {metric: None if one is None else one.to_dict() for metric, one in intervals.items()}
    if variants is not None:
        more["referee"] = [asdict(one) for one in variants]
    if analysis is not None:
        more["failures"] = analysis.to_dict()
    return report.to_dict() | more


def print_evaluation(
    report: "Report",
    intervals: Intervals,
    variants: "list[RuleVariant] | None",
    analysis: "ErrorAnalysis | None",
    out: Path | None,
) -> None:
    for number, result in enumerate(report.scores):
        sys.stdout.write("\n" if number else "")
        _print_score(result, report, intervals.get(result.metric))
    if variants is not None:
        _print_variants(variants)
    if analysis is not None:
        _print_errors(analysis)
    if out is not None:
        sys.stdout.write(f"report: {out / run_layout.REPORT}\n")
    if report.skipped:
        skipped = counted(len(report.skipped), "{image|images} could not be read and {was|were} skipped")
        sys.stdout.write(f"{skipped}\n")


def _print_score(score: "Score", report: "Report", interval: "Interval | None") -> None:
    from ssd300.metrics.words import map_in_words

    width = max(map(len, [*score.per_class, "class"]))
    sys.stdout.write(f"{'class':{width}}  {'AP':>6}  {'objects':>8}  {'detections':>10}\n")
    for name, result in score.per_class.items():
        ap = "-" if result.ap is None else f"{result.ap:.4f}"
        sys.stdout.write(f"{name:{width}}  {ap:>6}  {result.objects:8}  {result.detections:10}\n")
    sys.stdout.write(f"\n{map_in_words(score.metric, score.map)}, on {plural(report.images, 'image')}\n")
    if interval is not None:
        sys.stdout.write(f"{interval.describe()}\n")
    sys.stdout.write(f"({report.limits.describe(score.metric)})\n")
    if report.warning is not None:
        sys.stdout.write(f"{report.warning}\n")
    for name, value in score.numbers.items():
        sys.stdout.write(f"{name:{width}}  {'-' if value is None else f'{value:.4f}':>6}\n")
    absent = [name for name, result in score.per_class.items() if result.ap is None]
    if absent:
        say([f"excluded from the mean, as no object counts: {', '.join(absent)}"])


def _print_variants(variants: "list[RuleVariant]") -> None:
    width = max(len(one.choice) for one in variants)
    sys.stdout.write(f"\n{'rule variant':{width}}  {'mAP':>6}  {'change':>8}  classes changed\n")
    for one in variants:
        value = "-" if one.map is None else f"{one.map:.4f}"
        change = "-" if one.difference is None else f"{one.difference:+.4f}"
        sys.stdout.write(f"{one.choice:{width}}  {value:>6}  {change:>8}  {one.classes:15}\n")


def _print_errors(analysis: "ErrorAnalysis") -> None:
    from ssd300.evaluation.shown import thresholds_in_words
    from ssd300.metrics.words import metric_in_words
    from ssd300.reporting.error_words import WORDS

    width = max(map(len, WORDS.values()))
    sys.stdout.write(f"\n{'kind of error':{width}}  {'shown':>6}  mAP gained if corrected\n")
    for name, kind in analysis.kinds.items():
        sys.stdout.write(
            f"{WORDS[name]:{width}}  {kind.shown:6}  {'-' if kind.gain is None else f'{kind.gain:+.4f}':>7}\n"
        )
    sys.stdout.write(f"\n{'size':13}  {'AP':>6}  {'objects':>8}  {'found':>8}\n")
    for name, size in analysis.sizes.items():
        ap = "-" if size.map is None else f"{size.map:.4f}"
        sys.stdout.write(f"{name:13}  {ap:>6}  {size.objects:8}  {size.found:8}\n")
    metric = metric_in_words(analysis.metric)
    sys.stdout.write(f"({metric}; shown and found: {thresholds_in_words(analysis.min_scores)})\n")
