import pytest
import torch

from ssd300.model import ssd_lite0_fpn
from ssd300.model.pyramid import WIDTH, Pyramid, enlarged
from ssd300.model.shapes import SHAPES


@pytest.mark.parametrize("size_px", [64, 300, 384, 512, 333])
def test_the_maps_keep_their_sizes_and_have_one_width(size_px):
    sizes = [-(-size_px // stride) for stride in (8, 16, 32)]
    pyramid = Pyramid([4, 6, 8]).eval()
    with torch.no_grad():
        found = pyramid([torch.rand(1, width, n, n) for width, n in zip((4, 6, 8), sizes, strict=True)])
    assert [tuple(one.shape) for one in found] == [(1, WIDTH, n, n) for n in sizes]
    assert pyramid.channels == (WIDTH,) * 3


@pytest.mark.parametrize("size", [1, 2, 19, 37, 38, 64])
def test_each_cell_gets_the_value_of_the_coarse_cell_above_it(size):
    coarse = torch.rand(1, 2, -(-size // 2), -(-size // 2))
    found = enlarged(coarse, torch.empty(1, 2, size, size))
    places = torch.arange(size) // 2
    assert torch.equal(found, coarse[:, :, places][:, :, :, places])


def test_every_map_sees_the_finer_and_the_coarser_ones():
    torch.manual_seed(0)
    pyramid = Pyramid([2, 2, 2]).eval()
    maps = [torch.rand(1, 2, size, size, requires_grad=True) for size in (10, 5, 3)]
    for one in pyramid(maps):
        seen = torch.autograd.grad(one.sum(), maps, retain_graph=True)
        assert all(gradient.abs().sum() > 0 for gradient in seen)


@pytest.mark.parametrize("size_px", [300, 384])
def test_the_detector_has_the_maps_and_boxes_of_the_one_without_a_pyramid(size_px):
    shape, other = SHAPES["ssd_lite0_fpn"], SHAPES["ssd300_efficientnet_lite0"]
    assert shape.default_boxes("paper", size_px) == other.default_boxes("paper", size_px)
    model = ssd_lite0_fpn(2, settings=shape.default_boxes("paper", size_px)).eval()
    with torch.no_grad():
        predictions = model(torch.rand(1, 3, size_px, size_px))
    assert predictions.logits.shape == (1, len(model.default_boxes), 3)


def test_the_backbone_is_the_network_alone_so_that_the_pyramid_learns_at_the_full_rate():
    model = ssd_lite0_fpn(1)
    assert not set(model.pyramid.parameters()) & set(model.backbone.parameters())


def test_on_a_cpu_the_gradients_are_those_of_torchs_layers():
    torch.manual_seed(0)
    pyramid = Pyramid([3, 3]).double().train()
    maps = [torch.rand(2, 3, 7, 7, dtype=torch.double), torch.rand(2, 3, 4, 4, dtype=torch.double)]
    weight = pyramid.halve[0][0][0].weight
    (ours,) = torch.autograd.grad(sum(one.square().sum() for one in pyramid(maps)), weight)
    torch.manual_seed(0)
    step = 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[0, 0, 1, 2] += sign * step
            values.append(sum(one.square().sum() for one in pyramid(maps)))
            weight[0, 0, 1, 2] -= sign * step
    assert float(ours[0, 0, 1, 2]) == pytest.approx(float((values[0] - values[1]) / (2 * step)), rel=1e-4)
