import pytest
import torch

from ssd300.batches import Targets
from ssd300.model.boxes import cxcywh_to_xyxy, pairwise_iou, xyxy_to_cxcywh
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.matcher import match, match_as_pytorch_ssd300


def targets(*images):
    """Boxes of each image, padded; every object has label 1."""
    most = max((len(boxes) for boxes in images), default=0)
    boxes, labels = torch.zeros(len(images), most, 4), torch.zeros(len(images), most, dtype=torch.int64)
    for row, image in enumerate(images):
        if image:
            boxes[row, : len(image)] = torch.tensor(image)
            labels[row, : len(image)] = 1
    return Targets(boxes=boxes, labels=labels)


# Three default boxes side by side, each 0.2 wide, and one that covers everything.
DEFAULTS = xyxy_to_cxcywh(
    torch.tensor([[0.0, 0.0, 0.2, 0.2], [0.2, 0.0, 0.4, 0.2], [0.4, 0.0, 0.6, 0.2], [0.0, 0.0, 1.0, 1.0]])
)
FIRST, LOW = [0.0, 0.0, 0.2, 0.2], [0.0, 0.0, 0.05, 0.05]


@pytest.mark.parametrize(
    ("objects", "matched"),
    [
        ([], [-1, -1, -1, -1]),
        ([FIRST], [0, -1, -1, -1]),
        ([LOW], [0, -1, -1, -1]),  # under the threshold, and still keeps its best box
        ([FIRST, LOW], [0, -1, -1, 1]),  # both want the first box; the better one keeps it, the other takes its next
        ([LOW, FIRST], [1, -1, -1, 0]),
        ([FIRST, FIRST], [0, -1, -1, 1]),  # equal IoUs: the first object wins
        ([[0.7, 0.7, 0.9, 0.9]], [-1, -1, -1, 0]),
        ([[2.0, 2.0, 3.0, 3.0]], [-1, -1, -1, -1]),  # touches no default box
    ],
)
def test_by_hand(objects, matched):
    assert match(targets(objects), DEFAULTS).tolist() == [matched]


HALF = xyxy_to_cxcywh(torch.tensor([[0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.484375, 0.5]]))


@pytest.mark.parametrize("rule", [match, match_as_pytorch_ssd300])
def test_an_iou_of_exactly_one_half_is_a_match(rule):
    """The object is the first default box; the second is its half, the third a little less."""
    assert pairwise_iou(torch.tensor([[0.0, 0.0, 1.0, 0.5]]), cxcywh_to_xyxy(HALF))[0, 1] == 0.5
    assert rule(targets([[0.0, 0.0, 1.0, 0.5]]), HALF).tolist() == [[0, 0, -1]]


def test_in_pytorch_ssd300_the_later_object_wins():
    assert match_as_pytorch_ssd300(targets([FIRST, LOW]), DEFAULTS).tolist() == [[1, -1, -1, -1]]
    assert match_as_pytorch_ssd300(targets([]), DEFAULTS).tolist() == [[-1, -1, -1, -1]]


def literal_matching(boxes, default_boxes):
    """Caffe's loops, one pair at a time."""
    iou = pairwise_iou(boxes, cxcywh_to_xyxy(default_boxes))
    best = iou.max(dim=0)
    matched = torch.where(best.values >= 0.5, best.indices, -1)
    left = iou.clone()
    for _ in range(len(boxes)):
        greatest = left.max()
        if greatest <= 1e-6:
            break
        pairs = (left == greatest).nonzero().tolist()
        object_, box = min(pairs, key=lambda pair: (pair[1], pair[0]))
        matched[box] = object_
        left[object_], left[:, box] = -1, -1
    return matched


@pytest.mark.parametrize("crowded", [False, True])
def test_equals_the_literal_loop_on_random_scenes(crowded):
    random = torch.Generator().manual_seed(3)
    default_boxes = make_default_boxes(PAPER)
    for _ in range(10):
        images = []
        for count in (0, 1, 7, 15):
            draw = torch.rand(count, 4, generator=random)
            center = draw[:, :2] * 0.1 + 0.4 if crowded else draw[:, :2]
            boxes = cxcywh_to_xyxy(torch.cat([center, draw[:, 2:] ** 2 * 0.4 + 0.01], dim=1))
            if count > 1:
                boxes[1] = boxes[0]  # two objects that share every overlap
            images.append(boxes)
        batch = targets(*[boxes.tolist() for boxes in images])
        got = match(batch, default_boxes)
        for row, boxes in enumerate(images):
            if len(boxes) == 0:
                assert (got[row] == -1).all()
            else:
                assert torch.equal(got[row], literal_matching(batch.boxes[row, : len(boxes)], default_boxes))
