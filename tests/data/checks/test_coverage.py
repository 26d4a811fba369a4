import numpy as np
import pytest

from conftest import object_xml
from data.checks.spoilt import GOOD, assert_found, label, run
from ssd300.cli import main
from ssd300.data.checks.coverage import best_ious
from ssd300.model.boxes import cxcywh_to_xyxy
from ssd300.model.default_boxes import PAPER, make_default_boxes

SPOILT = {
    "tiny-box": (lambda d: label(d, "a", GOOD + object_xml("red", (20, 20, 21, 90))), "warning", "a.xml", 2),
    "uncovered-class": (
        lambda d: [label(d, name, GOOD + object_xml("bar", (1, 60, 160, 66))) for name in "ae"], "warning", "", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_each_rule(data, capsys, rule):
    assert_found(data, capsys, rule, SPOILT[rule])


def test_the_best_iou_is_that_over_every_default_box():
    random = np.random.default_rng(0)
    default_boxes = cxcywh_to_xyxy(make_default_boxes(PAPER)).double().numpy()
    low = random.uniform(0, 0.7, (20, 2))
    boxes = np.concatenate([low, low + random.uniform(0.02, 0.3, (20, 2))], axis=1)
    literal = []
    for box in boxes:
        width = np.clip(np.minimum(box[2], default_boxes[:, 2]) - np.maximum(box[0], default_boxes[:, 0]), 0, None)
        height = np.clip(np.minimum(box[3], default_boxes[:, 3]) - np.maximum(box[1], default_boxes[:, 1]), 0, None)
        areas = (default_boxes[:, 2] - default_boxes[:, 0]) * (default_boxes[:, 3] - default_boxes[:, 1])
        literal.append((width * height / (areas + (box[2:] - box[:2]).prod() - width * height)).max())
    np.testing.assert_allclose(best_ious(boxes, default_boxes), literal, rtol=1e-4)
    np.testing.assert_allclose(best_ious(default_boxes[:300], default_boxes), 1, rtol=1e-4)
    assert best_ious(np.zeros((0, 4)), default_boxes).shape == (0,)


def test_a_click_is_not_reported_as_tiny_too(data, capsys):
    label(data, "a", GOOD + object_xml("red", (50, 50, 50, 50)) + object_xml("red", (60, 60, 61, 61)))
    found = [(problem["rule"], problem["object"]) for problem in run(capsys, data)[1]["problems"]]
    assert [pair for pair in found if pair[1]] == [("one-pixel-box", 2), ("tiny-box", 3)]


def test_default_boxes_that_fit_more_of_a_class_are_advised(data, capsys):
    for name in "ae":
        label(data, name, GOOD + object_xml("dot", (20, 20, 30, 27)))  # 20 pixels at the network's size
    (problem,) = [p for p in run(capsys, data)[1]["problems"] if p["rule"] == "uncovered-class"]
    assert "--default-boxes coco would fit 100%" in problem["fix"]
    other = run(capsys, data, "--default-boxes", "coco")[1]["problems"]
    assert "uncovered-class" not in {p["rule"] for p in other}


def test_what_fitted_default_boxes_would_cover_is_shown_by_class(data, capsys):
    for name in "ae":
        label(data, name, GOOD + object_xml("bar", (1, 60, 160, 76)))
    report = run(capsys, data)[1]
    assert report["coverage"]["classes"]["bar"]["share"] == 0
    assert report["coverage"]["fitted"]["bar"] == {"objects": 2, "covered": 2, "share": 1.0}
    (problem,) = [p for p in report["problems"] if p["rule"] == "uncovered-class"]
    assert "--default-boxes fitted would fit 100%" in problem["fix"]


def test_the_input_size_can_be_another(data, capsys):
    for name in "ae":
        label(data, name, GOOD + object_xml("dot", (20, 20, 30, 27)))  # 20 pixels at 300, 35 at 512
    assert run(capsys, data)[1]["coverage"]["classes"]["dot"]["share"] == 0
    assert run(capsys, data, "--image-size", "512")[1]["coverage"]["sizes_px"]["from 32"]["objects"] > 0
    assert main(["check", str(data), "--image-size", "7"]) == 2
    assert "--image-size is 7; it must be 64 to 2048" in capsys.readouterr().err
