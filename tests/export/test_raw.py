import numpy as np
import pytest

from ssd300.export.parity import LIMITS, raw_violations
from ssd300.export.raw import Raw, moved_scores, probes, raw_agreement, weighted_quantile

FIRST = [0, 300]  # two feature maps, the second of four boxes


def raw_of(seed, *, faint=1.0):
    """Outputs on an image; with a small `faint` no score is high, as on an image without objects."""
    random = np.random.default_rng(seed)
    corners = random.uniform(0.1, 0.5, (304, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.1, 0.4, (304, 2))], axis=1)
    return Raw(boxes.astype(np.float32), (faint * random.beta(0.3, 3, (304, 3))).astype(np.float32))


def seen(weights, file):
    return raw_agreement(weights, file, FIRST, quantile=0.99)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("faint", [1.0, 0.01])
@pytest.mark.parametrize(
    "broken",
    [
        lambda raw: raw._replace(scores=np.full_like(raw.scores, raw.scores.mean())),  # all weights are zero
        lambda raw: raw._replace(scores=raw.scores[:, ::-1]),  # classes are swapped
        lambda raw: raw._replace(scores=np.concatenate([raw.scores[:300], 0 * raw.scores[300:]])),  # no last head
        lambda raw: raw._replace(scores=np.roll(raw.scores, 1, axis=0)),
        lambda raw: raw._replace(boxes=raw.boxes * 0),
        lambda raw: raw._replace(boxes=np.concatenate([raw.boxes[:300], 0 * raw.boxes[300:]])),  # nor of boxes
        lambda raw: raw._replace(scores=raw.scores * np.nan),
    ],
)
def test_what_is_broken_is_seen_with_and_without_objects(broken, faint, precision):
    weights = [raw_of(seed, faint=faint) for seed in range(3)]
    assert raw_violations(seen(weights, [broken(raw) for raw in weights]), LIMITS[precision])


@pytest.mark.parametrize("faint", [1.0, 0.01])
def test_the_same_outputs_agree_and_are_counted(faint):
    weights = [raw_of(seed, faint=faint) for seed in range(3)]
    found = seen(weights, weights)
    assert found.scores == 3 * 304 * 3
    assert (found.moved, found.unexplained, found.box) == (0, 0, 0)
    assert not raw_violations(found, LIMITS["fp32"])


def test_the_share_of_scores_that_moved_by_hand():
    boxes = np.zeros((2, 4), np.float32)
    weights = [Raw(boxes, np.array([[0.5], [0.3]], np.float32))]
    file = [Raw(boxes, np.array([[0.4], [0.5]], np.float32))]
    assert moved_scores(weights, file) == pytest.approx((0.1 + 0.2) / (0.5 + 0.5))


def test_the_quantile_of_weighted_values_by_hand():
    values, weights = np.array([0.4, 0.1, 0.2]), np.array([0.1, 0.6, 0.3])
    assert [weighted_quantile(values, weights, share) for share in (0.5, 0.7, 0.95, 1.0)] == [0.1, 0.2, 0.4, 0.4]


def test_a_shift_of_tiny_boxes_that_nobody_sees_does_not_refuse_a_file():
    """As a detector of small faces in 8 bits: all that is seen is where it was."""
    raw = raw_of(0)
    seen_first = np.argsort(-raw.scores.max(axis=1))
    tiny = seen_first[150:200]
    boxes = raw.boxes.copy()
    boxes[tiny, 2:] = boxes[tiny, :2] + 0.02
    scores = raw.scores.copy()
    scores[tiny] *= 0.01 / scores[tiny].max()
    scores[seen_first[200:]] *= 0.005
    moved = boxes.copy()
    moved[tiny] += 0.005
    found = seen([Raw(boxes, scores)], [Raw(moved, scores)])
    assert not raw_violations(found, LIMITS["int8"])


def test_probes_are_colored_and_the_same_each_time():
    first, second = probes(300), probes(300)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert all(image.shape == (300, 300, 3) and (image[..., 0] != image[..., 2]).any() for image in first)
