"""Scores of detections that come in blocks: millions of them in memory that does not grow with their number.

What needs the whole table is not possible here: the curves, the errors, intervals, and other rules.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ssd300.data.dataset import Dataset
from ssd300.data.predictions.parts import Parts
from ssd300.data.predictions.rows import PredictionRows
from ssd300.evaluation.limits import Limits
from ssd300.evaluation.scoring import Metric, Report, Score
from ssd300.metrics.coco import NAME as COCO_NAME
from ssd300.metrics.coco_in_blocks import CocoInBlocks
from ssd300.metrics.voc import mean_ap
from ssd300.metrics.voc_in_blocks import VocInBlocks
from ssd300.metrics.voc_rules import DEVKIT, VocRules, metric_name
from ssd300.system.memory import free_memory_bytes
from ssd300.system.progress import Progress, silent
from ssd300.system.temporary import temporary_folder
from ssd300.system.wording import plural
from ssd300.types import DetectionTable

SMALL = 500_000  # detections that are held as a table without asking: some 200 MB, less than importing torch takes
# Bytes of a detection at the peak of reading and scoring it in memory, by VOC's metrics (benchmarks/eval_millions.py
# measures it) and by COCO's, which took 3 to 4.5 kB.
VOC_BYTES, COCO_BYTES = 400, 4_500
SHARE = 0.25  # of the free memory for the table of detections, where it is needed


class Cut(NamedTuple):
    """Which stored detections count: those above `min_score`, and the best `top_k` of each image; None keeps all."""

    min_score: float | None = None
    top_k: int | None = None

    def of(self, table: DetectionTable) -> DetectionTable:
        """The rows that count. The table has all detections of its images."""
        if self.min_score is not None:
            table = table.select(table.scores > self.min_score)
        return table if self.top_k is None else table.select(table.best_of_each_image(self.top_k))


EVERYTHING = Cut()


def fits(detections: int, each_bytes: int = VOC_BYTES) -> bool:
    """Whether the table of so many detections takes no more than its SHARE of the free memory."""
    return detections * each_bytes <= SHARE * free_memory_bytes()


def evaluate_parts(
    parts: Parts,
    dataset: Dataset,
    rows: PredictionRows,
    *,
    metrics: Sequence[Metric],
    rules: VocRules = DEVKIT,
    cut: Cut = EVERYTHING,
    progress: Progress = silent,
) -> Report:
    """Score the detections of `parts` block after block. The report does not hold them.

    Raises:
        DataError: as `Parts.blocks` does.
        RunError: the disk of temporary files is full.
    """
    with temporary_folder() as folder, progress("scoring in blocks", unit="detections") as task:
        judges = _judges(dataset, metrics, rules, folder)
        for block in parts.blocks(rows):
            counted = cut.of(block)
            for judge in judges:
                judge.add(counted)
            task.advance(len(block))
        scores = [_score(dataset, judges, metric, rules) for metric in metrics]
    remarks = rows.remarks
    limits = Limits(
        min_score=cut.min_score,
        top_k=cut.top_k,
        lowest_score=remarks.lowest_score,
        most_per_image=remarks.most_per_image if remarks.detections else None,
    )
    note = (
        f"{plural(remarks.detections, 'detection')} were scored in blocks, each as it was read: memory holds the "
        "annotations and no table of detections"
    )
    return Report(scores=scores, dataset=dataset, held=None, limits=limits, notes=(*rows.notes(), note))


def _judges(
    dataset: Dataset, metrics: Sequence[Metric], rules: VocRules, folder: Path
) -> list[VocInBlocks | CocoInBlocks]:
    """One for both VOC metrics, and one for COCO's, where they are asked for."""
    known = dataset.annotations, len(dataset.classes), folder
    voc = [VocInBlocks(*known, rules)] if set(metrics) - {"coco"} else []
    return [*voc, *([CocoInBlocks(*known)] if "coco" in metrics else [])]


def _score(dataset: Dataset, judges: Sequence[VocInBlocks | CocoInBlocks], metric: Metric, rules: VocRules) -> Score:
    for judge in judges:
        if isinstance(judge, CocoInBlocks) and metric == "coco":
            coco = judge.result()
            per_class = dict(zip(dataset.classes, coco.per_class, strict=True))
            return Score(metric=COCO_NAME, map=coco.numbers["AP"], per_class=per_class, numbers=coco.numbers)
        if isinstance(judge, VocInBlocks) and metric != "coco":
            results = judge.results(metric)
            per_class = dict(zip(dataset.classes, results, strict=True))
            return Score(metric=metric_name(metric, rules), map=mean_ap(results), per_class=per_class)
    raise AssertionError(f"no judge was made for {metric}")
