"""What tests of exported files share: photographs, and when two lists of detections are the same."""

import pytest

from ssd300.export.parity import agreement
from ssd300.types import Selection

WIDE = Selection(min_score=0.3, max_overlap=0.45)


def photographs(shared):
    return sorted((shared / "data/voc_sample/VOCdevkit/VOC2007/JPEGImages").glob("*.jpg"))[:6]


def assert_alike(wanted, got):
    """The same detections but for a few that rounding decides: a network that was never trained has many of these."""
    seen = agreement(wanted, got)
    assert seen.detections > 100
    assert seen.found > 0.99
    assert (seen.score, seen.box) == pytest.approx((0, 0), abs=1e-3)
