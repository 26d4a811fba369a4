from functools import partial

import pytest
import torch

from ssd300.model.backbone import VGG16, TimmBackbone


@pytest.mark.parametrize(
    ("backbone", "widths"),
    [
        (VGG16, [38, 19]),
        (partial(TimmBackbone, "tf_efficientnet_lite0"), [38, 19, 10]),
        (partial(TimmBackbone, "resnet18"), [38, 19, 10]),
        (partial(TimmBackbone, "convnext_atto"), [37, 18, 9]),
    ],
    ids=["vgg16", "lite0", "resnet18", "convnext"],
)
@torch.no_grad()
def test_maps_of_an_image_of_300_pixels(backbone, widths):
    made = backbone().eval()
    maps = made(torch.rand(1, 3, 300, 300))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (channels, width, width) for channels, width in zip(made.channels, widths, strict=True)
    ]


def test_fc6_is_a_dilated_convolution():
    assert VGG16().to_conv7.conv6.dilation == (6, 6)


@torch.no_grad()
def test_the_first_map_of_vgg16_is_normalized_and_the_second_is_made_of_what_was_not():
    backbone = VGG16().eval()
    images = torch.rand(1, 3, 64, 64)
    conv4_3, conv7 = backbone(images)
    torch.testing.assert_close(conv4_3.norm(dim=1), torch.full((1, 8, 8), 20.0))
    torch.testing.assert_close(conv7, backbone.to_conv7(backbone.to_conv4_3(images)))


def test_maps_with_channels_last_are_turned():
    with torch.device("meta"):
        backbone = TimmBackbone("swin_tiny_patch4_window7_224").eval()
        maps = backbone(torch.rand(1, 3, 224, 224))
    assert [tuple(one.shape[1:]) for one in maps] == [(192, 28, 28), (384, 14, 14), (768, 7, 7)]


@pytest.mark.parametrize(("number", "channels"), [(0, (40, 112, 320)), (1, (40, 112, 320)), (2, (48, 120, 352))])
def test_the_last_maps_of_efficientnet_lite(number, channels):
    with torch.device("meta"):
        assert TimmBackbone(f"tf_efficientnet_lite{number}").channels == channels
