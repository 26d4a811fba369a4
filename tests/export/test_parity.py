import numpy as np
import pytest

from ssd300.export.parity import LIMITS, Agreement, agreement, violations
from ssd300.types import Detections


def detections(*rows):
    return Detections(
        boxes=np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in rows], np.float32),
        labels=np.array([label for _, _, label in rows], np.int64),
        classes=("a", "b"),
    )


BOX, NEAR, FAR = (0.1, 0.1, 0.5, 0.5), (0.1, 0.1, 0.5, 0.52), (0.6, 0.6, 0.9, 0.9)


@pytest.mark.parametrize(
    ("weights", "file", "found", "score", "box"),
    [
        ([(BOX, 0.9, 0)], [(NEAR, 0.8, 0)], 1.0, 0.1, 1 - 0.4 / 0.42),
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 1)], 0.0, 0.0, 0.0),  # another class is no partner
        ([(BOX, 0.9, 0), (FAR, 0.9, 0)], [(BOX, 0.9, 0)], 0.5, 0.0, 0.0),
        ([(BOX, 0.9, 0)], [(BOX, 0.9, 0), (FAR, 0.9, 0)], 0.5, 0.0, 0.0),  # the file must not add detections
        ([(BOX, 0.52, 0)], [(BOX, 0.48, 0)], 1.0, 0.04, 0.0),  # a partner may have a score below SHOWN_SCORE
        # of two that overlap it, the partner is the one with the better score and not the nearer one
        ([(BOX, 0.9, 0)], [(NEAR, 0.8, 0), (BOX, 0.3, 0)], 1.0, 0.1, 1 - 0.4 / 0.42),
        ([], [], 1.0, 0.0, 0.0),
    ],
)
def test_agreement_by_hand(weights, file, found, score, box):
    seen = agreement([detections(*weights)], [detections(*file)])
    assert (seen.found, seen.score, seen.box) == pytest.approx((found, score, box), abs=1e-6)


def test_each_exceeded_limit_gets_a_sentence():
    bad = Agreement(images=1, detections=3, found=0.5, score=0.5, box=0.5)
    assert len(violations(bad, LIMITS["fp32"], map_loss=0.1)) == 4
    good = Agreement(images=1, detections=3, found=1.0, score=0.0, box=0.0)
    assert violations(good, LIMITS["int8"], map_loss=-0.1) == []
