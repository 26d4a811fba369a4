import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.data import Dataset, load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.evaluation.scoring import score
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import Annotation, DetectionTable

HIT, MISS = (0, 0, 10, 10), (50, 50, 60, 60)


def annotated(boxes, difficult=()):
    return Annotation(
        image_id="a",
        image_path=Path("a.jpg"),
        size_hw=(100, 100),
        boxes_px=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.zeros(len(boxes), np.int64),
        difficult=np.array([i in difficult for i in range(len(boxes))], dtype=bool),
    )


def table(rows):
    """Rows of (image, score, box), all of class 0."""
    return DetectionTable(
        image_index=np.array([row[0] for row in rows], dtype=np.int64),
        labels=np.zeros(len(rows), np.int64),
        scores=np.array([row[1] for row in rows], dtype=np.float64),
        boxes_px=np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
    )


@pytest.mark.parametrize(
    ("annotations", "rows", "voc07", "voc12"),
    [
        ([annotated([HIT])], [(0, 0.9, HIT)], 1.0, 1.0),
        ([annotated([HIT])], [], 0.0, 0.0),  # objects, no detections
        ([annotated([])], [(0, 0.9, HIT)], None, None),  # no objects
        ([annotated([HIT], difficult=[0])], [(0, 0.9, HIT)], None, None),  # none that counts
        ([annotated([HIT])], [(0, 0.9, MISS), (0, 0.8, HIT)], 0.5, 0.5),
        ([annotated([HIT])], [(0, 0.9, HIT), (0, 0.8, HIT)], 1.0, 1.0),  # the second is false, after full recall
        ([annotated([HIT, MISS])], [(0, 0.9, HIT), (0, 0.8, HIT), (0, 0.7, MISS)], (6 + 5 * 2 / 3) / 11, 0.5 + 1 / 3),
        ([annotated([HIT, MISS], difficult=[1])], [(0, 0.9, MISS), (0, 0.8, HIT)], 1.0, 1.0),  # neither good nor bad
        ([annotated([HIT, MISS], difficult=[1])], [(0, 0.9, MISS)], 0.0, 0.0),  # all ignored
        ([annotated([HIT]), annotated([])], [(1, 0.9, HIT), (0, 0.8, HIT)], 0.5, 0.5),  # the other image
    ],
)
def test_by_hand(annotations, rows, voc07, voc12):
    for protocol, wanted in (("voc07", voc07), ("voc12", voc12)):
        (result,) = voc_average_precision(annotations, table(rows), 1, protocol=protocol)
        assert result.ap == (None if wanted is None else pytest.approx(wanted))


def test_recall_of_three_tenths_meets_its_point_exactly_and_misses_it_in_float64():
    boxes = [(20 * i, 0, 20 * i + 10, 10) for i in range(10)]
    rows = [(0, 0.9 - i / 100, boxes[i]) for i in range(3)]
    values = [
        voc_average_precision([annotated(boxes)], table(rows), 1, rules=VocRules(voc07_thresholds=rule))[0].ap
        for rule in ("exact", "float64")
    ]
    assert values == pytest.approx([4 / 11, 3 / 11])


@pytest.mark.parametrize(
    ("rules", "ap"),
    [
        ({}, 1.0),
        ({"overlap": "above"}, 0.0),  # the overlap is exactly one half
        ({"pixels": "differences"}, 0.0),  # 9 x 4 of 9 x 9
        ({"iou_threshold": 0.51}, 0.0),
        ({"difficult": "counted"}, 0.5),  # two objects, and one is found
        ({"difficult": "dropped"}, 1.0),
    ],
)
def test_each_rule_by_hand(rules, ap):
    """One object is covered by exactly its half; the other, difficult one is not found."""
    annotations = [annotated([(0, 0, 10, 10), MISS], difficult=[1])]
    found = table([(0, 0.9, (0, 0, 10, 5))])
    (result,) = voc_average_precision(annotations, found, 1, protocol="voc12", rules=VocRules(**rules))
    assert result.ap == ap


def test_a_detection_of_a_dropped_object_is_false():
    annotations = [annotated([HIT, MISS], difficult=[1])]
    found = table([(0, 0.9, MISS), (0, 0.8, HIT)])
    aps = [
        voc_average_precision(annotations, found, 1, protocol="voc12", rules=VocRules(difficult=rule))[0].ap
        for rule in ("ignored", "counted", "dropped")
    ]
    assert aps == [1.0, 1.0, 0.5]


def test_a_class_without_objects_is_excluded_from_the_mean():
    results = voc_average_precision([annotated([HIT])], table([(0, 0.9, HIT)]), 3)
    assert [result.ap for result in results] == [1.0, None, None]
    assert mean_ap(results) == 1.0


def literal_ap(annotations, rows, protocol, rules=DEVKIT):
    """The development kit's loop, one detection at a time, and what other rules change in it."""
    if rules.difficult == "dropped":
        annotations = [annotated(annotation.boxes_px[~annotation.difficult]) for annotation in annotations]
    if rules.difficult == "counted":
        annotations = [annotated(annotation.boxes_px) for annotation in annotations]
    one = 1 if rules.pixels == "inclusive" else 0
    total = sum(int((~annotation.difficult).sum()) for annotation in annotations)
    found, hits = set(), []
    for image, _, box in sorted(rows, key=lambda row: -row[1]):
        annotation = annotations[image]
        best, best_object = -1.0, None
        x1, y1, x2, y2 = box[0] + 1, box[1] + 1, box[2], box[3]
        for index, other in enumerate(annotation.boxes_px):
            ox1, oy1, ox2, oy2 = other[0] + 1, other[1] + 1, other[2], other[3]
            width, height = min(x2, ox2) - max(x1, ox1) + one, min(y2, oy2) - max(y1, oy1) + one
            if width > 0 and height > 0:
                shared = width * height
                areas = (x2 - x1 + one) * (y2 - y1 + one) + (ox2 - ox1 + one) * (oy2 - oy1 + one)
                if shared / (areas - shared) > best:
                    best, best_object = shared / (areas - shared), index
        if best > 0.5 or (best == 0.5 and rules.overlap == "at-least"):
            if annotation.difficult[best_object]:
                continue
            hits.append((image, best_object) not in found)
            found.add((image, best_object))
        else:
            hits.append(False)
    if total == 0:
        return None
    true = np.cumsum(hits)
    recall, precision = true / total, true / np.arange(1, len(hits) + 1)
    if protocol == "voc07":
        points = [precision[10 * true >= k * total] for k in range(11)]
        return sum(part.max() if len(part) else 0.0 for part in points) / 11
    envelope = np.maximum.accumulate(precision[::-1])[::-1] if len(hits) else precision
    return float(np.sum(np.diff(recall, prepend=0) * envelope))


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_literal_loop(seed):
    random = np.random.default_rng(seed)
    annotations, rows = [], []
    for image in range(8):
        low = random.integers(0, 30, (random.integers(0, 5), 2))
        boxes = np.concatenate([low, low + random.integers(5, 20, low.shape)], axis=1)
        annotations.append(annotated(boxes, difficult=set(np.flatnonzero(random.random(len(boxes)) < 0.3).tolist())))
        for box in [*boxes, *boxes, (1, 2, 30, 30)]:
            moved = np.asarray(box) + random.integers(-3, 4, 4)
            if (moved[2:] > moved[:2]).all():
                rows.append((image, random.integers(0, 10) / 10, moved.astype(float)))  # many ties
    for protocol in ("voc07", "voc12"):
        (result,) = voc_average_precision(annotations, table(rows), 1, protocol=protocol)
        wanted = literal_ap(annotations, rows, protocol)
        assert result.ap == (None if wanted is None else pytest.approx(wanted, abs=1e-9))


corner, side = st.integers(0, 12), st.integers(1, 12)
boxes = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
images = st.tuples(
    st.lists(st.tuples(boxes, st.booleans()), max_size=4),  # objects, difficult or not
    st.lists(st.tuples(boxes, st.integers(0, 3)), max_size=6),  # detections, of four scores: many ties
)
choices = st.builds(
    VocRules,
    overlap=st.sampled_from(["at-least", "above"]),
    pixels=st.sampled_from(["inclusive", "differences"]),
    difficult=st.sampled_from(["ignored", "counted", "dropped"]),
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(images, max_size=4), st.sampled_from(["voc07", "voc12"]), choices)
def test_equals_the_literal_loop_on_generated_scenes(scene, protocol, rules):
    annotations = [
        annotated([b for b, _ in truth], {n for n, (_, hard) in enumerate(truth) if hard}) for truth, _ in scene
    ]
    rows = [(n, score / 4, box) for n, (_, found) in enumerate(scene) for box, score in found]
    (result,) = voc_average_precision(annotations, table(rows), 1, protocol=protocol, rules=rules)
    wanted = literal_ap(annotations, rows, protocol, rules)
    assert result.ap == (None if wanted is None else pytest.approx(wanted, abs=1e-9))


@pytest.fixture(scope="module")
def real_detections(shared, voc_annotations, tmp_path_factory):
    """VOC2007's test split, and what a published detector found on it."""
    folder = tmp_path_factory.mktemp("detections")
    with tarfile.open(shared / "data/voc07_test_detections/results.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    data = load_dataset(voc_annotations / "VOC2007", split="test", require_images=False)
    return data, read_predictions(folder / "results", data.annotations, data.classes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "options"),
    [
        ("ap_exact_thresholds", {}),
        ("ap_float64_thresholds", {"rules": VocRules(voc07_thresholds="float64")}),
        ("ap_area", {"metrics": ["voc12"]}),
    ],
)
def test_the_stored_aps_of_a_real_detector(shared, real_detections, stored, options):
    data, predictions = real_detections
    assert "person" in predictions.notes[0]
    report = score(data, predictions.table, **options)
    expected = json.loads((shared / "data/voc07_test_detections/expected_ap.json").read_text())[stored]
    assert {name: report.per_class[name].ap for name in expected} == pytest.approx(expected, abs=1e-9)


def test_several_metrics_of_the_same_detections():
    annotations = [annotated([(0, 0, 10, 10)])]
    data = Dataset(annotations=annotations, classes=("thing",), root=Path(), split="test")
    report = score(data, table([(0, 0.9, (0, 0, 10, 10))]), metrics=["voc07", "voc12"])
    stored = report.to_dict()
    assert [part["metric"] for part in stored["metrics"]] == ["voc07_11pt@0.5", report.scores[1].metric]
    assert stored["images"] == 1
    assert report.map == report.scores[0].map == 1.0
    with pytest.raises(ValueError, match="voc07"):
        score(data, table([]), metrics=[])
