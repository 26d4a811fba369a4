"""COCO's twelve numbers in blocks equal those of pycocotools and faster-coco-eval, whatever the blocks: ties, crowd,
sizes, many detections of an image.
"""

import tarfile
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.test_coco import CLASSES, annotated, by_pycocotools, found, objects, table
from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.metrics import coco_in_blocks
from ssd300.metrics.coco import coco_average_precision
from ssd300.metrics.coco_in_blocks import CocoInBlocks
from ssd300.metrics.coco_matching import judge, truth_of

EQUAL = {"rel": 0, "abs": 1e-12}


def in_blocks(annotations, whole, folder, blocks, classes=CLASSES):
    """The result where the images of `whole`, in its order of images, come in so many blocks."""
    folder.mkdir()
    metric = CocoInBlocks(annotations, classes, folder)
    images = list(dict.fromkeys(whole.image_index.tolist()))
    ends = np.linspace(0, len(images), blocks + 1).astype(int)
    for start, end in pairwise(ends):
        metric.add(whole.select(np.isin(whole.image_index, images[start:end])))
    return metric.result()


def assert_equal(ours, theirs):
    assert {name: value is None for name, value in ours.items()} == {n: v is None for n, v in theirs.items()}
    for name, value in theirs.items():
        assert value is None or ours[name] == pytest.approx(value, **EQUAL), name


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(objects, found), min_size=1, max_size=8), st.randoms(), st.sampled_from([1, 10, 1000]))
def test_equals_both_evaluators_with_equal_scores_crowds_and_difficult_objects(
    tmp_path_factory, capsys, images, random, steps
):
    """Each object is found twice; scores have `steps` values; crowd regions are in it, and blocks in any order."""
    annotations, rows = [], []
    for number, (truth, detections) in enumerate(images):
        boxes, labels, crowd = zip(*truth, strict=True) if truth else ((), (), ())
        annotations.append(annotated(number, boxes, labels, crowd))
        rows.append([(number, label, score, box) for box, label, score in detections])
        rows[-1] += [(number, label, random.randrange(999), box) for box, label, _ in truth * 2]
    random.shuffle(rows)
    whole = table(
        [(image, label, score * steps // 1000 / steps, box) for of in rows for image, label, score, box in of]
    )
    theirs = by_pycocotools(annotations, whole, CLASSES)
    capsys.readouterr()
    held = coco_average_precision(annotations, whole, CLASSES)
    for blocks in (1, 3):
        ours = in_blocks(annotations, whole, tmp_path_factory.mktemp("blocks") / "parts", blocks)
        assert_equal(ours.numbers, theirs)
        assert_equal(ours.numbers, held.numbers)
        for one, other in zip(ours.per_class, held.per_class, strict=True):
            assert (one.objects, one.detections) == (other.objects, other.detections)
            assert one.ap == (None if other.ap is None else pytest.approx(other.ap, **EQUAL))


def crowded(seed, images=30, each=260, classes=2):
    """More detections of a class than count, near overlapping objects of all sizes; scores in hundredths."""
    random = np.random.default_rng(seed)
    annotations, rows = [], []
    for image in range(images):
        low = random.integers(0, 120, (12, 2))
        boxes = np.concatenate([low, low + random.integers(4, 160, low.shape)], axis=1).astype(float)
        labels = random.integers(0, classes, len(boxes))
        annotations.append(annotated(image, boxes, labels, random.random(len(boxes)) < 0.15))
        near = random.integers(0, len(boxes), each)
        moved = boxes[near] + random.integers(-6, 7, (each, 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        rows += [(image, labels[one], random.integers(1, 100) / 100, box) for one, box in zip(near, moved, strict=True)]
    return annotations, table(rows)


@pytest.mark.parametrize("seed", range(3))
def test_equals_pycocotools_where_images_are_crowded(tmp_path, monkeypatch, capsys, seed):
    monkeypatch.setattr(coco_in_blocks, "BLOCK", 700)
    monkeypatch.setattr("ssd300.metrics.coco_matching.PAIRS_AT_ONCE", 500)
    annotations, whole = crowded(seed)
    theirs = by_pycocotools(annotations, whole, 2)
    capsys.readouterr()
    for blocks in (1, 4):
        assert_equal(in_blocks(annotations, whole, tmp_path / str(blocks), blocks, classes=2).numbers, theirs)


@pytest.mark.slow
def test_equals_faster_coco_eval_on_a_real_detector(shared, voc_annotations, tmp_path):
    with tarfile.open(shared / "data/voc07_test_detections/results.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    data = load_dataset(voc_annotations / "VOC2007", split="test", require_images=False)
    stored = read_predictions(tmp_path / "results", data.annotations, data.classes).table
    ours = in_blocks(data.annotations, stored, tmp_path / "blocks", 7, classes=len(data.classes))
    theirs = coco_average_precision(data.annotations, stored, len(data.classes))
    assert_equal(ours.numbers, theirs.numbers)
    assert [one.ap for one in ours.per_class] == pytest.approx([one.ap for one in theirs.per_class], **EQUAL)


def test_without_blocks_every_class_with_objects_has_0(tmp_path):
    annotations = [annotated(0, [(0, 0, 50, 50)], [0]), annotated(1, [], [])]
    result = CocoInBlocks(annotations, 2, tmp_path).result()
    assert [one.ap for one in result.per_class] == [0.0, None]
    assert result.numbers["AP"] == result.numbers["AR100"] == result.numbers["AP_medium"] == 0
    assert result.numbers["AP_small"] is None
    assert set(CocoInBlocks([], 2, tmp_path).result().numbers.values()) == {None}


def test_a_score_that_is_nan_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="detection row 0"):
        CocoInBlocks([annotated(0, [], [])], 1, tmp_path).add(table([(0, 0, float("nan"), (0, 0, 1, 1))]))


def test_a_crowd_region_takes_many_and_an_object_one():
    annotations = [annotated(0, [(0, 0, 100, 100), (10, 10, 20, 20)], [0, 0], [True, False])]
    box, other = (10.0, 10.0, 20.0, 20.0), (150.0, 150.0, 160.0, 160.0)
    rows = table([(0, 0, 0.3, box), (0, 0, 0.9, box), (0, 0, 0.5, box), (0, 0, 0.1, other)])
    judged = judge(truth_of(annotations), rows, 1)
    assert judged.rows.tolist() == [1, 2, 0, 3]
    assert judged.ranks.tolist() == [0, 1, 2, 3]
    assert judged.true[:, 0, 0].tolist() == [True, False, False, False]
    assert judged.false[:, 0, 0].tolist() == [False, False, False, True]  # the others are in the crowd
    assert not judged.false[:, 2].any()  # medium: their area is outside
