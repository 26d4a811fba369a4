import math

import pytest
import torch

from ssd300.model.depthwise import DepthwiseConv2d
from ssd300.model.heads import ExtraLayers, Heads, expect_few_objects
from ssd300.model.layers import BatchNorm
from ssd300.model.shapes import SHAPES

PAPER_EXTRAS = SHAPES["ssd300_vgg16"].extras(300)


def test_the_papers_extra_layers_give_maps_of_10_5_3_and_1():
    extras = ExtraLayers(1024, PAPER_EXTRAS)
    maps = extras(torch.zeros(1, 1024, 19, 19))
    assert [tuple(one.shape[1:]) for one in maps] == [(512, 10, 10), (256, 5, 5), (256, 3, 3), (256, 1, 1)]
    assert extras.channels == (512, 256, 256, 256)


@pytest.mark.parametrize(("batch_norm", "norms"), [(False, 0), (True, 8)])
def test_batch_normalization_takes_the_place_of_biases(batch_norm, norms):
    extras = ExtraLayers(8, PAPER_EXTRAS, batch_norm=batch_norm)
    assert sum(isinstance(layer, BatchNorm) for layer in extras.modules()) == norms
    assert any(name.endswith("0.bias") for name, _ in extras.named_parameters()) is not batch_norm


def test_rows_follow_the_default_boxes_map_by_map_cell_by_cell_box_by_box():
    heads = Heads([1, 1], [2, 3], num_logits=2)
    for head in (*heads.logits, *heads.offsets):
        head.weight.data.zero_()
        head.bias.data = torch.arange(len(head.bias), dtype=torch.float32)
    for head in heads.logits:
        head.weight.data[:, :, 1, 1] = 100  # each cell adds its own value
    first, second = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([[[[5.0]]]])
    predictions = heads([first, second])
    cells, boxes = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5], [0, 1] * 4 + [0, 1, 2]
    expected = [[100.0 * cell + 2 * box, 100.0 * cell + 2 * box + 1] for cell, box in zip(cells, boxes, strict=True)]
    assert predictions.logits[0].tolist() == expected
    assert predictions.offsets[0].tolist() == [[4.0 * box + k for k in range(4)] for box in boxes]


def test_initialization_is_by_fan_in():
    head = Heads([1024], [6], num_logits=21).logits[0]
    bound = math.sqrt(3 / (1024 * 9))
    assert head.weight.abs().max() <= bound
    assert head.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert (head.bias == 0).all()


def test_heads_of_ssdlite_are_a_depthwise_convolution_and_a_mix_for_logits_and_for_offsets():
    heads = Heads([8, 6], [2, 3], num_logits=4, kind="ssdlite").eval()
    assert sum(isinstance(layer, DepthwiseConv2d) for layer in heads.modules()) == 4
    assert [tuple(head.weight.shape) for head in heads.logits] == [(8, 8, 1, 1), (12, 6, 1, 1)]
    predictions = heads([torch.rand(1, 8, 3, 3), torch.rand(1, 6, 1, 1)])
    assert predictions.logits.shape == (1, 21, 4)
    assert predictions.offsets.shape == (1, 21, 4)


def test_heads_of_the_paper_have_the_tensors_that_they_always_had():
    names = [
        f"{part}.{number}.{kind}" for part in ("logits", "offsets") for number in (0, 1) for kind in ("weight", "bias")
    ]
    assert list(Heads([8, 6], [2, 3], num_logits=4).state_dict()) == names


@pytest.mark.parametrize("kind", ["ssd", "ssdlite"])
def test_extra_layers_of_both_kinds_give_the_same_maps(kind):
    extras = ExtraLayers(8, PAPER_EXTRAS, batch_norm=True, kind=kind).eval()
    maps = extras(torch.zeros(1, 8, 19, 19))
    assert [tuple(one.shape[1:]) for one in maps] == [(512, 10, 10), (256, 5, 5), (256, 3, 3), (256, 1, 1)]


def test_new_class_outputs_expect_few_objects():
    """Where the features are 0 they say exactly the share; the classes are as probable as each other."""
    heads = Heads((8, 4), (4, 6), num_logits=5)
    expect_few_objects(heads, 0.05)
    logits = heads([torch.zeros(1, 8, 3, 3), torch.zeros(1, 4, 2, 2)]).logits
    probabilities = logits.softmax(-1)
    torch.testing.assert_close(probabilities[..., 0], torch.full((1, 60), 0.95))
    torch.testing.assert_close(probabilities[..., 1:], torch.full((1, 60, 4), 0.0125))


def test_expecting_few_objects_changes_no_box_output():
    torch.manual_seed(0)
    heads = Heads((8,), (4,), num_logits=3)
    before = [parameter.clone() for parameter in heads.offsets.parameters()]
    expect_few_objects(heads, 0.5)
    assert all(torch.equal(*pair) for pair in zip(before, heads.offsets.parameters(), strict=True))
