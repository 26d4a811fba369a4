from pathlib import Path

import numpy as np
from PIL import Image

from ssd300.data.dataset import Dataset
from ssd300.detection.results import Result
from ssd300.evaluation.evaluator import Found, report_of
from ssd300.evaluation.saving import detection_rows, store_evaluation
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


def test_a_class_that_is_no_file_name_costs_the_comp4_files_and_nothing_else(tmp_path):
    """A training whose data has the class person/child must not end with an error when it stores its evaluation."""
    item = Annotation(
        image_id="a", image_path=Path("a.jpg"), size_hw=(40, 50), boxes_px=np.array([[1.0, 1, 9, 9]]),
        labels=np.zeros(1, np.int64), difficult=np.zeros(1, bool),
    )  # fmt: skip
    data = Dataset(annotations=[item], classes=("person/child",), root=tmp_path, split="test")
    table = DetectionTable(
        image_index=np.zeros(1, np.int64), labels=np.zeros(1, np.int64), scores=np.ones(1), boxes_px=item.boxes_px
    )
    report = report_of(data, Found(table, [item], ()))
    (note,) = store_evaluation(tmp_path / "eval", report)
    assert "'person/child'" in note
    assert (tmp_path / "eval" / "detections.jsonl").is_file()
    assert not (tmp_path / "eval" / "comp4").exists()
