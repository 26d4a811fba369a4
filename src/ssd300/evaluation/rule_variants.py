"""The same detections under the rules of other evaluators: which rules change the mAP, and by how much.

A variant changes one rule at a time. Which evaluators use which rules: docs/evaluation.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args, get_type_hints

from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import Metric, Score, score
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import DetectionTable

SCORE_CUTS = (0.05, 0.2)  # minimum scores that tools apply before they measure
BEST_PER_IMAGE = 100  # the maximum per image of COCO's tools
WORDS: dict[Metric, str] = {
    "voc07": "the mean of 11 points", "voc12": "the area under the curve", "coco": "COCO's metric",
}  # fmt: skip
RULES = {name: get_args(hint) for name, hint in get_type_hints(VocRules).items() if get_args(hint)}


@dataclass(frozen=True, kw_only=True)
class RuleVariant:
    """The mAP under one other rule, named by `choice`, and its `difference` from the mAP that was asked for.

    `map` and `difference` are None where there is no mAP. `classes` is the number of classes whose AP changes.
    """

    choice: str
    metric: str
    map: float | None
    difference: float | None
    classes: int


def rule_variants(
    dataset: Dataset, table: DetectionTable, *, metric: Metric = "voc07", rules: VocRules = DEVKIT
) -> list[RuleVariant]:
    """The mAP by `metric` and `rules` as the first entry, then its variants. COCO's metric needs the extra `coco`.

    Raises as `score` does.
    """
    base = score(dataset, table, metrics=[metric], rules=rules).scores[0]
    variants = [_variant("as asked", base, base)]
    for choice in _choices(table, metric, rules):
        other = score(dataset, choice.table, metrics=[choice.metric], rules=choice.rules).scores[0]
        variants.append(_variant(choice.words, other, base))
    zeros = _mean_with_zeros(base)
    if zeros != base.map:
        variants.append(_variant("classes without objects count as 0", replace(base, map=zeros), base))
    return variants


class _Choice(NamedTuple):
    words: str
    metric: Metric
    rules: VocRules
    table: DetectionTable


def _choices(table: DetectionTable, metric: Metric, rules: VocRules) -> Iterator[_Choice]:
    """Each one rule away from what was asked. Cuts that would remove none of the detections are omitted."""
    for other, words in WORDS.items():
        if other != metric:
            yield _Choice(words, other, rules, table)
    if metric != "coco":
        for name, values in RULES.items():
            for value in values:
                changes: dict[str, Any] = {name: value}
                if value != getattr(rules, name) and (metric == "voc07" or name != "voc07_thresholds"):
                    yield _Choice(f"{name} {value}".replace("_", " "), metric, replace(rules, **changes), table)
    for cut in SCORE_CUTS:
        if len(table) and table.scores.min() < cut:
            yield _Choice(f"only scores from {cut:g}", metric, rules, table.select(table.scores >= cut))
    best = table.best_of_each_image(BEST_PER_IMAGE)
    if not best.all():
        yield _Choice(f"the {BEST_PER_IMAGE} best per image", metric, rules, table.select(best))


def _variant(choice: str, other: Score, base: Score) -> RuleVariant:
    classes = sum(result.ap != base.per_class[name].ap for name, result in other.per_class.items())
    difference = None if other.map is None or base.map is None else other.map - base.map
    return RuleVariant(choice=choice, metric=other.metric, map=other.map, difference=difference, classes=classes)


def _mean_with_zeros(base: Score) -> float | None:
    if base.map is None:
        return None
    return sum(result.ap or 0.0 for result in base.per_class.values()) / len(base.per_class)
