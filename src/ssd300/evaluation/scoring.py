"""Detections and annotations in; a Report out, with a score by each metric that is asked for. No model is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ssd300.data.dataset import Dataset
from ssd300.evaluation.limits import Limits
from ssd300.metrics.coco import NAME as COCO_NAME
from ssd300.metrics.coco import coco_average_precision
from ssd300.metrics.voc import ClassResult, mean_ap, voc_average_precision
from ssd300.metrics.voc_rules import DEVKIT, VocRules, metric_name
from ssd300.system.notebook import html_table
from ssd300.system.wording import plural, some
from ssd300.types import DetectionTable

SHOWN_SCORE = 0.5  # of a shown detection: its class is more probable than all others and background together
Metric = Literal["voc07", "voc12", "coco"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Score:
    """The score of a dataset by one metric, named in full.

    `map` is None if no class has an object that counts. `numbers` holds COCO's twelve numbers; the VOC metrics have
    none.
    """

    metric: str
    map: float | None
    per_class: dict[str, ClassResult]
    numbers: Mapping[str, float | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Such as 'mAP 0.8317 (voc07_11pt@0.5): Platelets 0.7269, RBC 0.7869, WBC 0.9812'."""
        classes = [f"{name} {_number(result.ap)}" for name, result in self.per_class.items()]
        return f"{_mean(self)}: {some(classes)}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "map": self.map,
            "per_class": {
                name: {"ap": result.ap, "objects": result.objects, "detections": result.detections}
                for name, result in self.per_class.items()
            },
            **({"numbers": dict(self.numbers)} if self.numbers else {}),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Report:
    """The scores of the same detections, one by each metric; `metric`, `map` and `per_class` are those of the first.

    `dataset` is what was scored: images that could not be read are not in it. `skipped` has a message for each of
    them. `limits` are on the detections. `trained_on_images` is how many of the images the weights were trained on,
    None if that is not known. `min_scores` are the confidence thresholds that the weights hold, by class name: for
    counts and pictures, as mAP counts detections of any confidence. `notes` are those of the reader of stored
    predictions.
    """

    scores: Sequence[Score]
    dataset: Dataset
    held: DetectionTable | None
    limits: Limits
    trained_on_images: int | None = None
    min_scores: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        scores = map(repr if len(self.scores) == 1 else _mean, self.scores)
        return f"{'; '.join(scores)}, on {plural(self.images, 'image')}"

    def _repr_html_(self) -> str:
        """A table of the classes for each metric, for notebooks."""
        tables = []
        for score in self.scores:
            rows = [
                (name, _number(result.ap), f"{result.objects:,}", f"{result.detections:,}")
                for name, result in score.per_class.items()
            ]
            title = f"mAP {_number(score.map)} ({score.metric}, {plural(self.images, 'image')})"
            tables.append(html_table(title, ("class", "AP", "objects", "detections"), rows))
        note = "" if self.warning is None else f"<p>{self.warning}</p>"
        return "\n".join(tables) + note

    @property
    def detections(self) -> DetectionTable:
        """All detections that were scored. Raises ValueError where they are not held."""
        if self.held is None:
            raise ValueError("the detections were scored in blocks and are not held; notes say why")
        return self.held

    @property
    def images(self) -> int:
        return len(self.dataset)

    @property
    def metric(self) -> str:
        return self.scores[0].metric

    @property
    def map(self) -> float | None:
        return self.scores[0].map

    @property
    def per_class(self) -> dict[str, ClassResult]:
        return self.scores[0].per_class

    @property
    def warning(self) -> str | None:
        """What must stand beside the scores if the weights were trained on some of the images; None if on none."""
        if not self.trained_on_images:
            return None
        some = "these" if self.trained_on_images == self.images else f"{self.trained_on_images:,} of these"
        return f"{some} are images that the weights were trained on: mAP says nothing about new images"

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the entries of a single score, or a list `metrics` of several; counts of images; limits."""
        scores = [score.to_dict() for score in self.scores]
        return (scores[0] if len(scores) == 1 else {"metrics": scores}) | {
            "images": self.images,
            "skipped_images": len(self.skipped),
            "trained_on_images": self.trained_on_images,
            "limits": self.limits.to_dict([score.metric for score in self.scores]),
        }


def _mean(score: Score) -> str:
    return f"mAP {_number(score.map)} ({score.metric})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def score(
    dataset: Dataset,
    table: DetectionTable,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    limits: Limits | None = None,
) -> Report:
    """Score detections; `rules` are those of the VOC metrics, `limits` what the detections were limited by.

    Without `limits` they are those of stored predictions.

    Raises:
        ValueError: `metrics` is empty; and what the metric raises.
        UsageError: COCO's metric is asked for and the extra `coco` is missing.
    """
    if not metrics:
        raise ValueError(f"no metric was named; there are {', '.join(get_args(Metric))}")
    scores = [_score(dataset, table, metric, rules) for metric in metrics]
    return Report(scores=scores, dataset=dataset, held=table, limits=limits or Limits.of_stored(table))


def _score(dataset: Dataset, table: DetectionTable, metric: Metric, rules: VocRules) -> Score:
    if metric == "coco":
        coco = coco_average_precision(dataset.annotations, table, len(dataset.classes))
        per_class = dict(zip(dataset.classes, coco.per_class, strict=True))
        return Score(metric=COCO_NAME, map=coco.numbers["AP"], per_class=per_class, numbers=coco.numbers)
    results = voc_average_precision(dataset.annotations, table, len(dataset.classes), protocol=metric, rules=rules)
    per_class = dict(zip(dataset.classes, results, strict=True))
    return Score(metric=metric_name(metric, rules), map=mean_ap(results), per_class=per_class)
