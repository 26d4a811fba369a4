import math
from dataclasses import replace

import pytest
import torch

from ssd300.model import BUILDERS
from ssd300.model.boxes import cxcywh_to_xyxy
from ssd300.model.default_boxes import PAPER, PYTORCH_SSD300, SETTINGS, SSD512, make_default_boxes
from ssd300.model.shapes import SHAPES

PAPER_MAPS = {300: (38, 19, 10, 5, 3, 1), 384: (48, 24, 12, 6, 3, 1), 512: (64, 32, 16, 8, 4, 2)}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("size", [64, 161, 300, 384, 416, 512, 600])
def test_the_network_has_a_row_for_each_default_box_at_any_size(name, size):
    with torch.device("meta"):
        settings = SHAPES[name].default_boxes("paper", size)
        model = BUILDERS[name](2, settings=settings).eval()
        predictions = model(torch.zeros(2, 3, size, size))
    assert predictions.logits.shape == (2, settings.count, 3)
    assert predictions.offsets.shape == (2, settings.count, 4)


@pytest.mark.parametrize(("name", "size"), [("ssd300_vgg16", 384), ("ssd512_vgg16", 300)])
def test_the_weights_of_one_size_fit_another(name, size):
    with torch.device("meta"):
        one, other = (BUILDERS[name](2, settings=SHAPES[name].default_boxes("paper", px)) for px in (None, size))
    assert [tensor.shape for tensor in one.parameters()] == [tensor.shape for tensor in other.parameters()]


@pytest.mark.parametrize("size", PAPER_MAPS)
def test_the_sizes_of_the_maps_and_of_the_boxes_follow_from_the_image_size(size):
    settings = SHAPES["ssd300_vgg16"].default_boxes("paper", size)
    assert settings.map_sizes == SHAPES["ssd300_efficientnet_lite0"].map_sizes(size) == PAPER_MAPS[size]
    first = make_default_boxes(settings)[0] * size
    torch.testing.assert_close(first, torch.tensor([4.0, 4.0, size / 10, size / 10]))
    assert make_default_boxes(settings)[:, :2].max() < 1.05


def test_at_the_usual_size_the_boxes_are_the_papers():
    for name, settings in SETTINGS.items():
        for size in (None, 300):
            assert SHAPES["ssd300_vgg16"].default_boxes(name, size) is settings
    assert SHAPES["ssd512_vgg16"].default_boxes("paper") is SHAPES["ssd512_vgg16"].default_boxes("paper", 512) is SSD512


def test_the_rules_give_the_papers_maps_and_steps():
    for name, usual in (("ssd300_vgg16", PAPER), ("ssd300_efficientnet_lite0", PAPER), ("ssd512_vgg16", SSD512)):
        shape = SHAPES[name]
        almost = replace(usual, image_size_px=2 * usual.image_size_px)  # so that all is computed
        computed = replace(shape, boxes={"paper": almost}).default_boxes("paper", usual.image_size_px)
        assert (computed.map_sizes, computed.steps_px) == (usual.map_sizes, usual.steps_px)


def test_boxes_with_centers_spread_evenly_stay_so():
    settings = SHAPES["ssd300_vgg16"].default_boxes("pytorch-ssd300", 512)
    assert settings.has_even_steps
    assert settings.fits_like(PYTORCH_SSD300)
    assert not settings.fits_like(PAPER)


@pytest.mark.parametrize("size_px", [128, 320, 384, 500, 512])
@pytest.mark.parametrize("name", ["ssd300_vgg16", "ssd300_efficientnet_lite0"])
def test_boxes_come_back_from_another_size_as_they_were(name, size_px):
    shape = SHAPES[name]
    fitted = replace(PAPER, fitted_px=PAPER.shapes_px)
    for boxes in (PAPER, fitted):
        there_and_back = make_default_boxes(shape.scaled(shape.scaled(boxes, size_px), 300))
        torch.testing.assert_close(there_and_back, make_default_boxes(boxes))
    with pytest.raises(ValueError, match="for 7 maps; this model has 6"):
        shape.scaled(SSD512, 300)


def test_ssd512_has_24564_boxes_in_seven_maps():
    """ssd_pascal_512.py: sizes 35.84, 76.8, 153.6, …, which Caffe truncates to whole pixels."""
    boxes = make_default_boxes(SHAPES["ssd512_vgg16"].default_boxes("paper")) * 512
    counts = [64 * 64 * 4, 32 * 32 * 6, 16 * 16 * 6, 8 * 8 * 6, 4 * 4 * 6, 2 * 2 * 4, 4]
    assert len(boxes) == sum(counts) == 24564
    wide = math.sqrt(2)
    first = [(35, 35), (math.sqrt(35 * 76),) * 2, (35 * wide, 35 / wide), (35 / wide, 35 * wide)]
    last = [(460, 460), (math.sqrt(460 * 537),) * 2, (460 * wide, 460 / wide), (460 / wide, 460 * wide)]
    torch.testing.assert_close(boxes[:4], torch.tensor([(4.0, 4.0, *shape) for shape in first]))
    torch.testing.assert_close(boxes[-4:], torch.tensor([(256.0, 256.0, *shape) for shape in last]))
    assert (cxcywh_to_xyxy(boxes)[-4:, 0] < 256).all()


def test_ssd512_has_the_papers_extra_layers():
    layers = SHAPES["ssd512_vgg16"].extras(512)
    assert [tuple(layer) for layer in layers] == [
        (256, 512, 2, 1, 3), (128, 256, 2, 1, 3), (128, 256, 2, 1, 3), (128, 256, 2, 1, 3), (128, 256, 1, 1, 4),
    ]  # fmt: skip


def test_unknown_boxes_and_boxes_of_another_network_are_refused():
    with pytest.raises(ValueError, match="torchvision; this model has paper, paper-clipped, coco"):
        SHAPES["ssd512_vgg16"].default_boxes("torchvision")
    with pytest.raises(ValueError, match="the network has"):
        SHAPES["ssd300_vgg16"].check(replace(PAPER, map_sizes=(38, 19, 10, 5, 3, 2)))
