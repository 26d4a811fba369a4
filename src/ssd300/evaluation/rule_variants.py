"""The same detections under the rules of other evaluators: which choice moves the number, and how far.

Every alternative changes one thing alone. What evaluators do, and by how much it matters: docs/evaluation.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args, get_type_hints

from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import Metric, Score, score
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import DetectionTable

SCORE_CUTS = (0.05, 0.2)  # detections that tools leave out before they measure
MOST_OF_A_IMAGE = 100  # COCO's tools keep so many
WORDS: dict[Metric, str] = {
    "voc07": "the mean of 11 points", "voc12": "the area under the curve", "coco": "COCO's metric",
}  # fmt: skip
RULES = {name: get_args(hint) for name, hint in get_type_hints(VocRules).items() if get_args(hint)}


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """`map` as it becomes by the `choice`, and how far that is from the number asked for; None where there is none.

    `classes` counts those whose AP is another one.
    """

    choice: str
    metric: str
    map: float | None
    difference: float | None
    classes: int


def alternatives(
    dataset: Dataset, table: DetectionTable, *, metric: Metric = "voc07", rules: VocRules = DEVKIT
) -> list[Alternative]:
    """The number by `metric` and `rules` first, then by each other choice. COCO's needs the extra `coco`.

    Raises as `score` does.
    """
    base = score(dataset, table, metrics=[metric], rules=rules).scores[0]
    found = [_alternative("as asked", base, base)]
    for choice in _choices(table, metric, rules):
        other = score(dataset, choice.table, metrics=[choice.metric], rules=choice.rules).scores[0]
        found.append(_alternative(choice.words, other, base))
    zeros = _mean_with_zeros(base)
    if zeros != base.map:
        found.append(_alternative("classes without objects count as 0", replace(base, map=zeros), base))
    return found


class _Choice(NamedTuple):
    words: str
    metric: Metric
    rules: VocRules
    table: DetectionTable


def _choices(table: DetectionTable, metric: Metric, rules: VocRules) -> Iterator[_Choice]:
    """Each one thing away from what was asked. Choices that change nothing in these detections are left out."""
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
            yield _Choice(f"scores from {cut:g} alone", metric, rules, table.select(table.scores >= cut))
    best = table.best_of_each_image(MOST_OF_A_IMAGE)
    if not best.all():
        yield _Choice(f"the {MOST_OF_A_IMAGE} best of an image", metric, rules, table.select(best))


def _alternative(choice: str, one: Score, base: Score) -> Alternative:
    classes = sum(result.ap != base.per_class[name].ap for name, result in one.per_class.items())
    difference = None if one.map is None or base.map is None else one.map - base.map
    return Alternative(choice=choice, metric=one.metric, map=one.map, difference=difference, classes=classes)


def _mean_with_zeros(one: Score) -> float | None:
    if one.map is None:
        return None
    return sum(result.ap or 0.0 for result in one.per_class.values()) / len(one.per_class)
