import numpy as np
import pytest

from ssd300.metrics.voc_rules import VocRules, metric_name


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ({}, "voc07_11pt@0.5"),
        ({"iou_threshold": 0.75, "overlap": "above"}, "voc07_11pt@0.75 (overlap above the threshold)"),
        (
            {"pixels": "differences", "difficult": "counted"},
            "voc07_11pt@0.5 (widths without the last pixel, difficult objects counted)",
        ),
        ({"voc07_thresholds": "float64"}, "voc07_11pt@0.5 (float64 recall thresholds)"),
    ],
)
def test_the_name_lists_the_rules_that_are_not_the_development_kits(rules, name):
    assert metric_name("voc07", VocRules(**rules)) == name
    assert metric_name("voc12", VocRules(voc07_thresholds="float64")) == "voc12_area@0.5"


@pytest.mark.parametrize("threshold", [0.0, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_named(threshold):
    with pytest.raises(ValueError, match="iou_threshold is"):
        VocRules(iou_threshold=threshold)


@pytest.mark.parametrize(("overlap", "enough"), [("at-least", [False, True, True]), ("above", [False, False, True])])
def test_an_iou_at_the_threshold_is_enough_or_not(overlap, enough):
    assert VocRules(overlap=overlap).enough(np.array([0.499, 0.5, 0.501])).tolist() == enough
