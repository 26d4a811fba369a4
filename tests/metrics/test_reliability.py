import numpy as np
import pytest

from random_detections import problem, table
from ssd300.metrics.reliability import BINS, expected_calibration_error, reliability
from ssd300.metrics.voc_matching import judge


def test_bins_hold_every_detection_that_counts_once():
    annotations, rows = problem(3)
    judged = judge(annotations, table(rows), 2)
    bins = reliability(judged)
    scores = np.concatenate([one.scores for one in judged])
    true = np.concatenate([one.true for one in judged])
    assert sum(one.detections for one in bins) == len(scores)
    mine = (scores >= 0.5) & (scores < 0.6)
    assert bins[5].detections == mine.sum()
    assert bins[5].mean_score == pytest.approx(scores[mine].mean())
    assert bins[5].precision == pytest.approx(true[mine].mean())


def test_the_error_by_hand():
    (one, *_) = judge(*_images([0.05, 0.15, 0.25, 0.25, 0.95, 1.0], hits=[False, False, True, False, True, True]), 1)
    bins = reliability([one])
    assert [b.detections for b in bins] == [1, 1, 2, 0, 0, 0, 0, 0, 0, 2]
    # the first bin is excluded: (|0.15 - 0| + 2 * |0.25 - 0.5| + 2 * |0.975 - 1|) / 5
    assert expected_calibration_error(bins) == pytest.approx((0.15 + 2 * 0.25 + 2 * 0.025) / 5)


def test_no_detection_has_no_error():
    annotations, rows = problem(0)
    bins = reliability(judge(annotations, table(rows).select(np.zeros(0, np.int64)), 2))
    assert len(bins) == BINS
    assert all((one.mean_score, one.precision) == (None, None) for one in bins)
    assert expected_calibration_error(bins) is None


def _images(scores, hits):
    from pathlib import Path

    from ssd300.types import Annotation, DetectionTable

    box, elsewhere = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)
    annotations = [
        Annotation(
            image_id=str(index), image_path=Path("a.jpg"), size_hw=(100, 100), boxes_px=np.array([box]),
            labels=np.zeros(1, np.int64), difficult=np.zeros(1, bool),
        )
        for index in range(len(scores))
    ]  # fmt: skip
    detections = DetectionTable(
        image_index=np.arange(len(scores)), labels=np.zeros(len(scores), np.int64), scores=np.array(scores),
        boxes_px=np.array([box if hit else elsewhere for hit in hits]),
    )  # fmt: skip
    return annotations, detections
