"""The output of `ssd300 eval --metric voc07 --json` on VOC2007 test, beside the figures that the paper has.

The paper (arXiv 1512.02325, version 5) has APs of each class in its table 1, of the augmentation without zooming out:
74.3 on average. With it, by the recipe that Caffe's code and preset `paper` have, the paper gives the mean alone: 77.2.

    python3 beside_the_paper.py eval.json
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

MEAN = 77.2  # SSD300*, 07+12: the README of Caffe's SSD
TABLE_1_MEAN = 74.3  # SSD300, 07+12
TABLE_1 = {
    "aeroplane": 75.5, "bicycle": 80.2, "bird": 72.3, "boat": 66.3, "bottle": 47.6, "bus": 83.0, "car": 84.2,
    "cat": 86.1, "chair": 54.7, "cow": 78.3, "diningtable": 73.9, "dog": 84.5, "horse": 85.3, "motorbike": 82.6,
    "person": 76.2, "pottedplant": 48.6, "sheep": 73.9, "sofa": 76.0, "train": 83.4, "tvmonitor": 74.0,
}  # fmt: skip
TEST_IMAGES = 4952


def table(report: Mapping[str, object]) -> list[str]:
    """Lines: each class, in percent, here and in table 1, and the difference; then the means. A missing AP is '-'."""
    per_class = report["per_class"]
    assert isinstance(per_class, dict)
    lines = [f"{'':12} {'here':>6} {'paper':>6} {'difference':>11}"]
    for name, published in TABLE_1.items():
        lines.append(_row(name, per_class.get(name, {}).get("ap"), published))
    lines += [
        _row("mean", report["map"], TABLE_1_MEAN),
        "",
        "with the augmentation that zooms out, as preset paper has it:",
    ]
    lines.append(_row("mean", report["map"], MEAN))
    if report["images"] != TEST_IMAGES:
        lines.append(f"measured on {report['images']} images; VOC2007 test has {TEST_IMAGES}: not comparable")
    return lines


def _row(name: str, ap: object, published: float) -> str:
    if not isinstance(ap, float | int):
        return f"{name:12} {'-':>6} {published:6.1f} {'-':>11}"
    return f"{name:12} {100 * ap:6.1f} {published:6.1f} {100 * ap - published:+11.1f}"


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write("\n".join([f"VOC2007 test, AP in percent by {found['metric']}", *table(found)]) + "\n")
