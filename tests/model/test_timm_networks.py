import pytest
import torch

from ssd300.errors import UsageError
from ssd300.model.timm_networks import cells, create_features, timm_name, used_maps, usual_normalization


@pytest.mark.parametrize("name", ["mobilenetv3_large_100", "resnet18", "mobilenetv2_100", "convnext_atto"])
@pytest.mark.parametrize("size", [64, 161, 300])
@torch.no_grad()
def test_the_cells_are_those_that_the_network_has(name, size):
    maps = create_features(name).eval()(torch.rand(1, 3, size, size))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (channels, side, side) for channels, side in zip(used_maps(name).channels, cells(name, size), strict=True)
    ]


def test_asking_for_maps_takes_no_random_numbers():
    torch.manual_seed(0)
    wanted = torch.rand(1)
    for question in (used_maps, cells):
        question.cache_clear()
    torch.manual_seed(0)
    cells("resnet18", 300)
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("timm:mobilenet_v3_large", "no network 'mobilenet_v3_large'.*Did you mean mobilenetv3_large_100 or"),
        ("timm:Xqzzt", "no network 'Xqzzt'.*lists all names"),
        ("timm:hf-hub:timm/resnet18.a1_in1k", "no network"),
        ("timm:resnet18.nonsense", "no weights 'nonsense' of resnet18.*It has a1_in1k, "),
        ("timm:tf_efficientnet_b0_ns", "no network"),  # an old name, with a warning of timm
    ],
)
def test_a_name_that_timm_does_not_have_is_refused_with_one_that_it_has(backbone, message):
    with pytest.raises(UsageError, match=message):
        timm_name(backbone)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("vit_tiny_patch16_224", 224, "no map at stride 8 and 32; its maps are at stride 16"),
        ("swin_tiny_patch4_window7_224", 300, r"cannot process images of 300 x 300.*--image-size 224"),
        ("hrnet_w18_small", 300, r"cannot process images of 300 x 300.*--image-size 320"),
    ],
)
def test_networks_without_the_maps_and_sizes_that_they_cannot_process_are_refused(name, size, message):
    with pytest.raises(UsageError, match=message):
        cells(name, size)


def test_a_network_that_gives_no_maps_is_refused(monkeypatch):
    import timm

    def no_maps(*arguments, **options):
        raise RuntimeError("features_only not implemented for this model")

    monkeypatch.setattr(timm, "create_model", no_maps)
    with pytest.raises(UsageError, match=r"no maps of some_network.*features_only not implemented"):
        used_maps("some_network")


def test_the_normalization_is_that_of_the_weights():
    assert usual_normalization("resnet18") == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert usual_normalization("mobilevit_s") == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
