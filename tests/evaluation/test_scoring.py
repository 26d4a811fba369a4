from pathlib import Path

import pytest

from random_detections import problem, table
from ssd300.data import Dataset
from ssd300.evaluation.scoring import score
from ssd300.metrics.voc_rules import VocRules


@pytest.fixture
def scored():
    annotations, rows = problem(2)
    return Dataset(annotations=annotations, classes=("cat", "dog"), root=Path(), split="test"), table(rows)


def test_one_metric_is_the_report_and_several_are_a_list(scored):
    one = score(*scored).to_dict()
    counts = {"images", "skipped_images", "trained_on_images", "limits"}
    assert one.keys() == {"metric", "map", "per_class"} | counts
    assert one["per_class"]["cat"].keys() == {"ap", "objects", "detections"}
    both = score(*scored, metrics=["voc12", "voc07"])
    assert both.to_dict().keys() == {"metrics"} | counts
    assert both.metric == both.to_dict()["metrics"][0]["metric"] == "voc12_area@0.5"
    assert both.to_dict()["metrics"][1] == {name: one[name] for name in ("metric", "map", "per_class")}


def test_coco_has_its_twelve_numbers_and_voc_none(scored):
    pytest.importorskip("faster_coco_eval")
    voc, coco = score(*scored, metrics=["voc07", "coco"]).scores
    assert "numbers" not in voc.to_dict()
    assert len(coco.numbers) == 12
    assert coco.map == coco.to_dict()["numbers"]["AP"]


def test_the_rules_are_named(scored):
    report = score(*scored, rules=VocRules(overlap="above"))
    assert report.metric == "voc07_11pt@0.5 (overlap above the threshold)"


def test_no_metric_is_a_mistake(scored):
    with pytest.raises(ValueError, match="no metric was named"):
        score(*scored, metrics=[])


def test_without_images_there_is_no_map(scored):
    dataset, detections = scored
    empty = Dataset(annotations=[], classes=dataset.classes, root=Path(), split="test")
    report = score(empty, detections.select(detections.scores < 0))
    assert (report.map, report.images) == (None, 0)
    assert {result.ap for result in report.per_class.values()} == {None}
