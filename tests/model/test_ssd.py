import pytest
import torch

from ssd300.model import SSD, ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.model.predictions import Predictions
from ssd300.model.ssd import IMAGENET


@pytest.fixture(scope="module")
def vgg() -> SSD:
    return ssd300_vgg16(20)


def test_vgg16_has_the_papers_size(vgg):
    assert sum(parameter.numel() for parameter in vgg.parameters()) == 26_285_486


@pytest.mark.parametrize("builder", [ssd300_vgg16, ssd300_efficientnet_lite0])
def test_every_default_box_gets_logits_and_offsets(builder):
    model = builder(3).eval()
    with torch.no_grad():
        predictions = model(torch.rand(1, 3, 300, 300))
    assert predictions.logits.shape == (1, 8732, 4)
    assert predictions.offsets.shape == (1, 8732, 4)
    assert "default_boxes" in dict(model.named_buffers())


def test_wrong_input_size_says_what_is_taken(vgg):
    with pytest.raises(ValueError, match=r"\(batch, 3, 300, 300\)"):
        vgg(torch.rand(1, 3, 512, 512))


@pytest.mark.parametrize("training", [False, True])
def test_the_type_is_the_same_in_every_mode(vgg, training):
    vgg.train(training)
    assert isinstance(vgg(torch.rand(1, 3, 300, 300)), Predictions)


def test_normalization_is_replaced_in_place():
    model = ssd300_vgg16(1)
    mean = model.mean
    model.set_normalization(IMAGENET)
    assert model.normalization == IMAGENET
    assert model.mean is mean
    assert mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])


def test_a_detector_without_classes_is_refused():
    with pytest.raises(ValueError, match="num_classes is 0"):
        ssd300_vgg16(0)
