import json

import numpy as np
import pytest

from random_detections import table
from ssd300.cli import main
from ssd300.detection.defaults import MAX_OVERLAP
from ssd300.evaluation.limits import Limits
from ssd300.metrics.coco import NAME as COCO
from ssd300.metrics.coco_matching import MOST_OF_A_CLASS
from ssd300.types import Selection

BOX = (0.0, 0.0, 5.0, 5.0)
FOUND = table([(0, 0, 0.02, BOX), (0, 0, 0.5, BOX), (2, 1, 0.75, BOX)])


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits.of_weights(Selection(), FOUND), "confidence threshold 0.01, NMS IoU 0.45, best 200 of an image"),
        (
            Limits.of_weights(Selection(min_score=(0.3, 0.05), top_k=9), FOUND),
            "confidence thresholds of the classes 0.05 to 0.3, NMS IoU 0.45, best 9 of an image",
        ),
        (Limits.of_stored(FOUND), "stored: no score below 0.02, at most 2 of an image"),
        (
            Limits.of_stored(FOUND, min_score=0.1, top_k=1),
            "confidence threshold 0.1, best 1 of an image, stored: no score below 0.02, at most 2 of an image",
        ),
        (Limits.of_stored(FOUND.select(np.zeros(0, np.int64))), "no detection is stored"),
    ],
)
def test_the_line_beside_the_number_and_back_from_json(limits, text):
    of_detect = "; detect uses NMS IoU 0.5" if limits.max_overlap == 0.45 else ""
    assert limits.describe("voc07_11pt@0.5") == text + of_detect
    of_coco = ", of these COCO's metric takes the best 100 of a class and image"
    assert limits.describe(COCO) == text + of_coco + of_detect
    plain = limits.to_dict(["voc07_11pt@0.5"])
    assert plain["coco_most_of_a_class"] is None
    assert limits.to_dict([COCO])["coco_most_of_a_class"] == 100
    assert Limits.of_dict(json.loads(json.dumps(plain))).describe(COCO) == limits.describe(COCO)


def test_detect_is_named_only_where_it_differs():
    assert "detect" not in Limits.of_weights(Selection(max_overlap=MAX_OVERLAP), FOUND).describe("voc07_11pt@0.5")


def test_cocos_number_of_detections_is_that_of_its_code():
    coco = pytest.importorskip("faster_coco_eval")
    assert coco.COCOeval_faster(iouType="bbox").params.maxDets[-1] == MOST_OF_A_CLASS


def test_eval_says_the_limits_under_the_map_in_json_and_on_the_page(coloured, light_run, tmp_path, capsys):
    evaluation = ["eval", str(coloured), "--weights", str(light_run), "--top-k", "7"]
    line = "confidence threshold 0.01, NMS IoU 0.45, best 7 of an image; detect uses NMS IoU 0.5"
    assert main([*evaluation, "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[next(number for number, text in enumerate(lines) if text.startswith("mAP ")) + 1] == f"({line})"
    assert line in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert main([*evaluation, "--json"]) == 0
    limits = json.loads(capsys.readouterr().out)["limits"]
    assert {name: limits[name] for name in ("min_score", "max_overlap", "top_k")} == {
        "min_score": 0.01, "max_overlap": 0.45, "top_k": 7
    }  # fmt: skip
    stored = ["eval", str(coloured), "--predictions", str(tmp_path / "out")]
    assert main(stored) == 0
    assert f"(stored: no score below {limits['lowest_score']:.3g}, at most 7 of an image)" in capsys.readouterr().out
    assert main([*stored, "--min-score", "0.9", "--json"]) == 0
    of_stored = json.loads(capsys.readouterr().out)["limits"]
    assert (of_stored["min_score"], of_stored["max_overlap"], of_stored["most_per_image"]) == (0.9, None, 7)
    assert of_stored["lowest_score"] == limits["lowest_score"]
