import pytest

from ssd300.metrics.coco import NAME
from ssd300.metrics.voc_rules import VocRules, metric_name
from ssd300.metrics.words import map_in_words, metric_in_words


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (metric_name("voc07"), "mAP, VOC 2007 rule (11 points), IoU 0.5"),
        (metric_name("voc12", VocRules(iou_threshold=0.75)), "mAP, VOC 2012 rule (area under the curve), IoU 0.75"),
        (metric_name("voc07", VocRules(difficult="counted")),
         "mAP, VOC 2007 rule (11 points), IoU 0.5, difficult objects counted"),
        (NAME, "mAP, COCO rule, mean over IoU 0.5 to 0.95"),
        ("my own", "my own"),
    ],
)  # fmt: skip
def test_a_metric_has_its_full_name(metric, words):
    assert metric_in_words(metric) == words


def test_a_mean_ap_is_told_with_its_rule():
    assert map_in_words(metric_name("voc07"), 0.75) == "mAP 0.7500, VOC 2007 rule (11 points), IoU 0.5"
    assert map_in_words(NAME, None) == "mAP -, COCO rule, mean over IoU 0.5 to 0.95"
    assert map_in_words("my own", 0.5, digits=6) == "my own 0.500000"
