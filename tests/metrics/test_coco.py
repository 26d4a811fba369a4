import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.errors import UsageError
from ssd300.evaluation.stored import evaluate_stored
from ssd300.metrics.coco import NUMBERS, coco_average_precision
from ssd300.types import Annotation, DetectionTable

CLASSES = 3


def by_pycocotools(annotations, table, classes):
    """The twelve numbers, from pycocotools and its own files."""

    def boxed(image, label, box):
        wide, high = float(box[2] - box[0]), float(box[3] - box[1])
        return {"image_id": image, "category_id": int(label), "bbox": [float(box[0]), float(box[1]), wide, high]}

    truth, found = COCO(), COCO()
    images = [{"id": image} for image in range(len(annotations))]
    categories = [{"id": label, "name": str(label)} for label in range(classes)]
    objects = []
    for image, annotation in enumerate(annotations):
        for label, box, crowd in zip(annotation.labels, annotation.boxes_px, annotation.crowd, strict=True):
            entry = boxed(image, label, box)
            area = entry["bbox"][2] * entry["bbox"][3]
            objects.append(entry | {"id": len(objects) + 1, "iscrowd": int(crowd), "area": area})
    detections = []
    for image, label, score, box in zip(table.image_index, table.labels, table.scores, table.boxes_px, strict=True):
        entry = boxed(int(image), label, box)
        area = entry["bbox"][2] * entry["bbox"][3]
        detections.append(entry | {"id": len(detections) + 1, "score": float(score), "area": area, "iscrowd": 0})
    for one, rows in ((truth, objects), (found, detections)):
        one.dataset = {"images": images, "categories": categories, "annotations": rows}
        one.createIndex()
    judged = COCOeval(truth, found, "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    return {name: None if value < 0 else value for name, value in zip(NUMBERS, judged.stats, strict=True)}


def table(rows):
    """Rows of (image, label, score, box)."""
    return DetectionTable(
        image_index=np.array([row[0] for row in rows], dtype=np.int64),
        labels=np.array([row[1] for row in rows], dtype=np.int64),
        scores=np.array([row[2] for row in rows], dtype=np.float64),
        boxes_px=np.array([row[3] for row in rows], dtype=np.float64).reshape(-1, 4),
    )


def annotated(number, boxes, labels, crowd=()):
    return Annotation(
        image_id=str(number), image_path=Path(f"{number}.jpg"), size_hw=(200, 200),
        boxes_px=np.array(boxes, dtype=np.float64).reshape(-1, 4), labels=np.array(labels, dtype=np.int64),
        difficult=np.zeros(len(boxes), bool), crowd=np.array(crowd, dtype=bool),
    )  # fmt: skip


def test_by_hand():
    """One of two objects is found exactly, so precision is 1 up to a recall of one half: 51 of 101 points."""
    annotations = [annotated(0, [(0, 0, 50, 50), (100, 100, 150, 150)], [0, 0])]
    result = coco_average_precision(annotations, table([(0, 0, 0.9, (0, 0, 50, 50))]), 2)
    assert result.numbers["AP"] == pytest.approx(51 / 101)
    assert result.numbers["AR100"] == pytest.approx(0.5)
    assert result.numbers["AP_small"] is None  # there are no small objects
    assert [one.ap for one in result.per_class] == [pytest.approx(51 / 101), None]
    assert [(one.objects, one.detections) for one in result.per_class] == [(2, 1), (0, 0)]


@pytest.mark.parametrize("annotations", [[], [annotated(0, [], [])]])
def test_nothing_gives_no_number(annotations):
    result = coco_average_precision(annotations, table([]), 2)
    assert set(result.numbers.values()) == {None}
    assert [one.ap for one in result.per_class] == [None, None]


def test_without_its_package_the_error_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(UsageError, match=r'pip install "\.\[coco\]"'):
        coco_average_precision([], table([]), 1)


def test_a_score_that_is_nan_is_an_error():
    with pytest.raises(ValueError, match="detection row 0"):
        coco_average_precision([annotated(0, [], [])], table([(0, 0, float("nan"), (0, 0, 1, 1))]), 1)


corner = st.integers(0, 120)
side = st.integers(1, 120)
box = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
objects = st.lists(st.tuples(box, st.integers(0, CLASSES - 1), st.booleans()), max_size=5)
found = st.lists(st.tuples(box, st.integers(0, CLASSES - 1), st.integers(1, 999)), max_size=8)


def coco_files(folder, images, ids):
    """Annotations and results, each image with the id of its place in `ids`; scores are rounded to tenths."""
    boxed = [
        (image, label + 1, [x1, y1, x2 - x1, y2 - y1], crowd)
        for image, (truth, _) in zip(ids, images, strict=True)
        for (x1, y1, x2, y2), label, crowd in truth
    ]
    results = [
        {"image_id": image, "category_id": label + 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score // 100 / 10}
        for image, (truth, found) in zip(ids, images, strict=True)
        for (x1, y1, x2, y2), label, score in [*found, *((box, label, 500) for box, label, _ in truth)]
    ]
    content = {
        "images": [{"id": image, "file_name": f"{number}.jpg", "height": 240, "width": 240}
                   for number, image in enumerate(ids)],
        "categories": [{"id": label + 1, "name": f"class {label}"} for label in range(CLASSES)],
        "annotations": [{"id": number, "image_id": image, "category_id": label, "bbox": bbox,
                         "area": bbox[2] * bbox[3], "iscrowd": int(crowd)}
                        for number, (image, label, bbox, crowd) in enumerate(boxed, start=1)],
    }  # fmt: skip
    (folder / "instances_val.json").write_text(json.dumps(content))
    (folder / "results.json").write_text(json.dumps(results))


def both(folder, images, ids, capsys):
    """COCO's numbers of the same two files, by us and by pycocotools."""
    coco_files(folder, images, ids)
    data = load_dataset(folder / "instances_val.json", require_images=False, purpose="test")
    report = evaluate_stored(folder / "results.json", data, metrics=["coco"])
    capsys.readouterr()
    truth = COCO(str(folder / "instances_val.json"))
    judged = COCOeval(truth, truth.loadRes(str(folder / "results.json")), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    capsys.readouterr()
    theirs = {name: None if value < 0 else value for name, value in zip(NUMBERS, judged.stats, strict=True)}
    return report.scores[0].numbers, theirs


def test_of_equal_scores_the_one_in_the_image_of_the_lower_id_comes_first(tmp_path, capsys):
    """Images 2 and 1, one object, in 2; a detection of .5 in each: the false one in 1 comes first."""
    box = (0, 0, 50, 50)
    ours, theirs = both(tmp_path, [([(box, 0, False)], []), ([], [(box, 0, 500)])], [2, 1], capsys)
    assert ours["AP"] == theirs["AP"] == 0.5


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(objects, found), min_size=2, max_size=12), st.randoms(), st.booleans())
def test_equals_pycocotools_with_ids_in_any_order_and_equal_scores(tmp_path, capsys, images, random, as_text):
    assume(any(truth for truth, _ in images))  # pycocotools refuses an empty list of results
    ids = random.sample(range(1, 200), len(images))  # as texts, "10" comes before "9"
    ours, theirs = both(tmp_path, images, [str(one) for one in ids] if as_text else ids, capsys)
    assert ours == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(objects, found), min_size=1, max_size=4))
def test_equals_pycocotools(capsys, images):
    """Scores differ from each other: equal ones have no order of their own in either."""
    annotations, rows = [], []
    for number, (truth, detections) in enumerate(images):
        boxes, labels, crowd = zip(*truth, strict=True) if truth else ((), (), ())
        annotations.append(annotated(number, boxes, labels, crowd))
        rows += [(number, label, score, box) for box, label, score in detections]
        rows += [(number, label, 500, box) for box, label, _ in truth]
    rows = [(image, label, score / 1000 + place * 1e-6, box) for place, (image, label, score, box) in enumerate(rows)]
    ours = coco_average_precision(annotations, table(rows), CLASSES).numbers
    assert capsys.readouterr().out == ""
    theirs = by_pycocotools(annotations, table(rows), CLASSES)
    capsys.readouterr()
    assert {name: value is None for name, value in ours.items()} == {n: v is None for n, v in theirs.items()}
    for name, value in theirs.items():
        assert ours[name] == (None if value is None else pytest.approx(value, abs=1e-9)), name


@pytest.mark.slow
def test_equals_pycocotools_on_a_real_detector(shared, voc_annotations, tmp_path):
    with tarfile.open(shared / "data/voc07_test_detections/results.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    data = load_dataset(voc_annotations / "VOC2007", split="test", require_images=False)
    stored = read_predictions(tmp_path / "results", data.annotations, data.classes).table
    ours = coco_average_precision(data.annotations, stored, len(data.classes))
    theirs = by_pycocotools(data.annotations, stored, len(data.classes))
    assert json.dumps(ours.numbers)  # plain values
    assert ours.numbers == pytest.approx(theirs, abs=1e-9)
    known = [one.ap for one in ours.per_class if one.ap is not None]
    assert np.mean(known) == pytest.approx(theirs["AP"], abs=1e-9)
