import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.batches import Targets
from ssd300.model.atss import match_atss
from ssd300.model.boxes import cxcywh_to_xyxy, pairwise_iou
from ssd300.model.default_boxes import PAPER, make_default_boxes
from ssd300.model.matcher import match

MAPS = tuple((size * size, boxes) for size, boxes in zip(PAPER.map_sizes, PAPER.per_cell, strict=True))
BOXES = make_default_boxes(PAPER)


def targets(boxes):
    """One image; a row of zeros is padding."""
    tensor = torch.as_tensor(boxes, dtype=torch.float32).reshape(1, -1, 4)
    return Targets(boxes=tensor, labels=(tensor.sum(dim=2) > 0).long())


# A row of four cells of .25 with one box each, as wide as the cell and twice as high; and one cell with a larger box.
ROW = torch.tensor([[0.125 + 0.25 * cell, 0.5, 0.25, 0.5] for cell in range(4)] + [[0.5, 0.5, 1.0, 1.0]])
OF_ROW = ((4, 1), (1, 1))


@pytest.mark.parametrize(
    ("objects", "matched"),
    [
        # The candidates are cells 0 and 1 and the large box: IoUs 1, 0, 1/8, so the threshold is .38 + .54.
        ([[0.0, 0.25, 0.25, 0.75]], [0, -1, -1, -1, -1]),
        # Two cells wide: 1/2, 1/2, 1/4, so .42 + .14 is above all; the bipartite pair alone remains.
        ([[0.0, 0.25, 0.5, 0.75]], [0, -1, -1, -1, -1]),
        # The whole image: 1/8, 1/8, 1 and .42 + .51.
        ([[0.0, 0.0, 1.0, 1.0]], [-1, -1, -1, -1, 0]),
        # Both objects want cell 0: the second has the greater IoU there, and the first takes its next best.
        ([[0.0, 0.25, 0.2, 0.75], [0.0, 0.25, 0.25, 0.75]], [1, -1, -1, -1, 0]),
        ([], [-1, -1, -1, -1, -1]),
        ([[0.0, 0.0, 0.0, 0.0]], [-1, -1, -1, -1, -1]),
    ],
)
def test_by_hand(objects, matched):
    assert match_atss(targets(objects), ROW, maps=OF_ROW, cells_per_map=2).tolist() == [matched]


def literal_atss(boxes):
    """The loops of algorithm 1 for one image, without the bipartite pairs: the objects that each default box fits."""
    fits = {}
    corners = cxcywh_to_xyxy(BOXES)
    for object_, box in enumerate(boxes):
        center, candidates, first = (box[:2] + box[2:]) / 2, [], 0
        for cells, per_cell in MAPS:
            rows = range(first, first + cells * per_cell, per_cell)
            for cell in sorted(rows, key=lambda row: float((BOXES[row, :2] - center).square().sum()))[:9]:
                candidates += range(cell, cell + per_cell)
            first += cells * per_cell
        ious = pairwise_iou(box[None], corners[candidates])[0]
        for row, iou in zip(candidates, ious, strict=True):
            x, y = BOXES[row, :2]
            if iou >= ious.mean() + ious.std() and box[0] < x < box[2] and box[1] < y < box[3]:
                fits.setdefault(row, []).append((-float(iou), object_))
    return {row: min(objects)[1] for row, objects in fits.items()}


def random_objects(seed, count):
    draw = torch.rand(count, 4, generator=torch.Generator().manual_seed(seed))
    return cxcywh_to_xyxy(torch.cat([draw[:, :2], draw[:, 2:] ** 2 * 0.6 + 0.01], dim=1))


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_literal_loops_where_no_pair_is_forced(seed):
    boxes = random_objects(seed, 5)
    matched = match_atss(targets(boxes), BOXES, maps=MAPS)[0]
    wanted = torch.full_like(matched, -1)
    for row, object_ in literal_atss(boxes).items():
        wanted[row] = object_
    assert (wanted >= 0).sum() > 5
    different = (matched != wanted).nonzero().flatten()
    assert len(different) <= len(boxes)
    pairs = match(targets(boxes), BOXES, min_iou=1.1)[0]  # the first step alone
    assert torch.equal(matched[different], pairs[different])


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_every_object_keeps_its_box_of_the_bipartite_matching(seed, count):
    batch = targets(random_objects(seed, count))
    matched, pairs = match_atss(batch, BOXES, maps=MAPS)[0], match(batch, BOXES, min_iou=1.1)[0]
    assert torch.equal(matched[pairs >= 0], pairs[pairs >= 0])
    assert set(matched.tolist()) == {-1, *range(count)}


def test_an_object_that_one_threshold_leaves_with_its_best_box_alone_gets_many():
    small = targets([[0.4, 0.4, 0.45, 0.47]])
    assert (match(small, BOXES) >= 0).sum() == 1
    assert (match_atss(small, BOXES, maps=MAPS) >= 0).sum() > 10
