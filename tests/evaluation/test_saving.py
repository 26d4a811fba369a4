from pathlib import Path

import numpy as np
from PIL import Image

from ssd300.detection.results import Result
from ssd300.evaluation.saving import detection_rows
from ssd300.types import Annotation, DetectionTable


def annotation(path, size_hw):
    return Annotation(
        image_id=path.stem, image_path=path, size_hw=size_hw, boxes_px=np.zeros((0, 4)),
        labels=np.zeros(0, np.int64), difficult=np.zeros(0, bool),
    )  # fmt: skip


def test_rows_are_those_of_detect(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "b.png")
    annotations = [annotation(Path("a.jpg"), (40, 50)), annotation(tmp_path / "b.png", None)]
    boxes = np.array([[1.5, 2, 3, 4], [5, 6, 7, 8]])
    table = DetectionTable(
        image_index=np.array([0, 0]), labels=np.array([1, 0]), scores=np.array([0.25, 0.75]), boxes_px=boxes
    )
    first, second = detection_rows(table, annotations, ("x", "y"))
    result = Result(
        boxes=boxes[::-1], scores=np.array([0.75, 0.25]), labels=np.array([0, 1]), classes=("x", "y"), image="a.jpg",
        pixels=np.zeros((40, 50, 3), np.uint8),
    )  # fmt: skip
    assert first == result.to_dict()
    assert second == {"image": str(tmp_path / "b.png"), "width": 8, "height": 6, "detections": []}
