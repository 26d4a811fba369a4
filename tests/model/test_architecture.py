import pytest
import torch

from ssd300.model import BUILDERS, Architecture
from ssd300.model.architecture import MODELS
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import IMAGENET
from ssd300.training.config import Models


def built(architecture, size=300):
    settings = architecture.shape.default_boxes("paper", size)
    with torch.device("meta"):
        model = architecture.build(2, settings=settings).eval()
        return model, model(torch.zeros(1, 3, size, size))


def test_the_configuration_can_choose_every_model():
    assert set(Models.__args__) == set(MODELS)


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenetv3_large_100", "mobilenetv2_100", "convnext_atto"])
@pytest.mark.parametrize("size", [161, 300])
def test_a_detector_on_timm_has_a_row_for_each_default_box(backbone, size):
    model, predictions = built(Architecture(model="ssd300_timm", backbone=f"timm:{backbone}"), size)
    assert predictions.logits.shape == (1, model.settings.count, 3)
    assert (model.settings == PAPER) == (size == 300 and backbone != "convnext_atto")
    assert model.normalization == IMAGENET


def test_where_maps_are_smaller_the_boxes_are_the_papers_in_fewer_places():
    settings = Architecture(model="ssd300_timm", backbone="timm:convnext_atto").shape.default_boxes("paper")
    assert (settings.map_sizes, settings.shapes_px) == ((37, 18, 9, 5, 3, 1), PAPER.shapes_px)
    assert settings.steps_px == PAPER.steps_px


@pytest.mark.parametrize(
    ("architecture", "options", "words"),
    [
        (Architecture(model="ssd300_vgg16"), "--model ssd300_vgg16", "ssd300_vgg16"),
        (
            Architecture(model="ssd300_timm", backbone="timm:resnet18"),
            "--backbone timm:resnet18",
            "ssd300_timm (timm:resnet18)",
        ),
    ],
)
def test_its_words(architecture, options, words):
    assert (architecture.options, architecture.describe()) == (options, words)


@pytest.mark.parametrize(
    ("model", "backbone"), [("ssd300_timm", None), *((name, "timm:resnet18") for name in BUILDERS)]
)
def test_only_the_model_of_timm_has_a_backbone_by_name(model, backbone):
    with pytest.raises(ValueError, match="ssd300_timm has one"):
        Architecture(model=model, backbone=backbone)
