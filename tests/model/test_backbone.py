import pytest
import torch

from ssd300.model.backbone import VGG16, EfficientNetLite0


@pytest.mark.parametrize(
    ("backbone", "widths"), [(VGG16, [38, 19]), (EfficientNetLite0, [38, 19, 10])], ids=["vgg16", "lite0"]
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
