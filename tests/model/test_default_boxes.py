import math
from dataclasses import replace

import pytest
import torch

from ssd300.model.boxes import cxcywh_to_xyxy
from ssd300.model.default_boxes import PAPER, PAPER_CLIPPED, PYTORCH_SSD300, SSD512, TORCHVISION, make_default_boxes


def test_the_count_per_map():
    counts = [size * size * boxes for size, boxes in zip(PAPER.map_sizes, PAPER.per_cell, strict=True)]
    assert counts == [5776, 2166, 600, 150, 36, 4]
    assert PAPER.count == len(make_default_boxes(PAPER)) == 8732


def test_first_cell_of_the_second_map_in_caffes_order():
    boxes = make_default_boxes(PAPER)[5776:5782] * 300
    s, middle = 60.0, math.sqrt(60 * 111)
    shapes = [(s, s), (middle, middle)]
    shapes += [(s * math.sqrt(r), s / math.sqrt(r)) for r in (2, 1 / 2, 3, 1 / 3)]
    wanted = torch.tensor([[8.0, 8.0, w, h] for w, h in shapes])
    torch.testing.assert_close(boxes, wanted)


def test_centers_follow_the_step_and_are_not_clipped():
    boxes = make_default_boxes(PAPER)
    assert boxes[37 * 4, 0] * 300 == pytest.approx(37.5 * 8)
    corners = cxcywh_to_xyxy(boxes)
    assert int(((corners < 0) | (corners > 1)).any(dim=1).sum()) == 2869
    assert int(((boxes[:, :2] < 0) | (boxes[:, :2] > 1)).any(dim=1).sum()) == 114


def test_the_boxes_of_pytorch_ssd300():
    boxes = make_default_boxes(PYTORCH_SSD300)
    assert len(boxes) == 8732
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    torch.testing.assert_close(boxes[0], torch.tensor([0.5 / 38, 0.5 / 38, 0.1, 0.1]))
    torch.testing.assert_close(boxes[1, 2], torch.tensor(math.sqrt(0.1 * 0.2)))
    # The order of ratios is 2, 3, 1/2, .333; the last map's second square is the whole image.
    torch.testing.assert_close(boxes[5776 + 3, 2:], torch.tensor([0.2 * math.sqrt(3), 0.2 / math.sqrt(3)]))
    torch.testing.assert_close(boxes[-3], torch.tensor([0.5, 0.5, 1.0, 1.0]))


@pytest.mark.parametrize(("field", "value"), [("steps_px", (8.0,)), ("sizes_px", (0.0,) * 6)])
def test_bad_settings_name_field_and_value(field, value):
    with pytest.raises(ValueError, match=field):
        replace(PAPER, **{field: value})


def test_torchvisions_boxes():
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.image_list import ImageList

    generator = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        steps=[8, 16, 32, 64, 100, 300],
    )
    maps = [torch.zeros(1, 1, size, size) for size in TORCHVISION.map_sizes]
    theirs = generator(ImageList(torch.zeros(1, 3, 300, 300), [(300, 300)]), maps)[0]
    torch.testing.assert_close(cxcywh_to_xyxy(make_default_boxes(TORCHVISION)) * 300, theirs, atol=2e-5, rtol=0)


def test_clipping_of_ports_and_the_count_of_ssd512():
    whole, clipped = make_default_boxes(PAPER), make_default_boxes(PAPER_CLIPPED)
    assert int((whole != clipped).any(dim=1).sum()) == 134
    assert torch.equal(clipped, whole.clamp(0, 1))
    assert SSD512.count == len(make_default_boxes(SSD512)) == 24564
