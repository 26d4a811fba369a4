"""Scores of detections that come in blocks: millions of them in memory that does not grow with their number.

What needs the whole table is not possible here: the curves, the errors, intervals, other rules, and COCO's metric.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

from ssd300.data.dataset import Dataset
from ssd300.data.predictions.parts import Parts
from ssd300.data.predictions.rows import PredictionRows
from ssd300.evaluation.limits import Limits
from ssd300.evaluation.scoring import Metric, Report, Score
from ssd300.metrics.voc import mean_ap
from ssd300.metrics.voc_in_blocks import VocInBlocks
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules, metric_name
from ssd300.system.memory import free_memory_bytes, gigabytes
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
    """Score the detections of `parts` by VOC metrics, block after block. The report does not hold them.

    Raises:
        DataError: as `Parts.blocks` does.
        RunError: the disk of temporary files is full.
    """
    with temporary_folder() as folder, progress("scoring in blocks", unit="detections") as task:
        voc = VocInBlocks(dataset.annotations, len(dataset.classes), folder, rules)
        for block in parts.blocks(rows):
            voc.add(cut.of(block))
            task.advance(len(block))
        scores = [_score(dataset, voc, cast(Protocol, metric), rules) for metric in metrics]
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


def why_not_held(detections: int, each_bytes: int = VOC_BYTES) -> str:
    """For messages: the table of about so many detections, and the memory that is free."""
    needed, free = gigabytes(detections * each_bytes), gigabytes(free_memory_bytes())
    return f"a table of up to {detections:,} detections takes up to {needed}, more than {SHARE:.0%} of the {free} free"


def _score(dataset: Dataset, voc: VocInBlocks, protocol: Protocol, rules: VocRules) -> Score:
    results = voc.results(protocol)
    per_class = dict(zip(dataset.classes, results, strict=True))
    return Score(metric=metric_name(protocol, rules), map=mean_ap(results), per_class=per_class)
