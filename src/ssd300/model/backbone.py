"""Backbones: images in, the first feature maps out. Paper section 3 and, for VGG16, ssd_pascal.py / model_libs.py.

A backbone has an attribute `channels` (one number per map that it returns) and knows nothing of boxes or classes.
"""

from collections import OrderedDict

from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model.fast_layers import use_fast_layers
from ssd300.model.layers import L2Norm, init_fan_in
from ssd300.model.timm_networks import create_features, has_channels_last, used_maps

# Widths of VGG16's convolutions, by stage; a pool follows each stage. Pools round up, as all of Caffe's do (75 -> 38).
VGG16_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGG16(nn.Module):
    """VGG16 with fc6 and fc7 as convolutions, fc6 dilated.

    Two maps: conv4_3 after L2 normalization, and conv7. They are 38 and 19 cells wide for an image of 300 pixels.
    Weights are random (Caffe's "xavier") until weights are loaded.
    """

    channels = (512, 1024)

    def __init__(self) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for stage, widths in enumerate(VGG16_STAGES, start=1):
            for number, width in enumerate(widths, start=1):
                layers[f"conv{stage}_{number}"] = nn.Conv2d(channels, width, 3, padding=1)
                layers[f"relu{stage}_{number}"] = nn.ReLU(inplace=True)
                channels = width
            last = stage == len(VGG16_STAGES)
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 1, 1) if last else nn.MaxPool2d(2, 2, ceil_mode=True)
        layers["conv6"] = nn.Conv2d(512, 1024, 3, padding=6, dilation=6)
        layers["relu6"] = nn.ReLU(inplace=True)
        layers["conv7"] = nn.Conv2d(1024, 1024, 1)
        layers["relu7"] = nn.ReLU(inplace=True)
        cut = list(layers).index("pool4")
        self.to_conv4_3 = nn.Sequential(OrderedDict(list(layers.items())[:cut]))
        self.to_conv7 = nn.Sequential(OrderedDict(list(layers.items())[cut:]))
        self.norm4_3 = L2Norm(512)
        self.apply(init_fan_in)

    def forward(self, images: Float[Tensor, "batch 3 h w"]) -> list[Tensor]:
        conv4_3 = self.to_conv4_3(images)
        return [self.norm4_3(conv4_3), self.to_conv7(conv4_3)]


class TimmBackbone(nn.Module):
    """A network of timm, such as `tf_efficientnet_lite0`. Needs the extra `light`.

    Three maps: the outputs at strides 8, 16 and 32, which in most networks are 38, 19 and 10 cells wide for an image of
    300 pixels. They may have no activation and very different magnitudes, so batch normalization follows each. VGG16
    has L2 normalization in its place, on its first map.

    Raises:
        ImportError: timm is not installed.
        UsageError: the network has no map at one of the strides.
    """

    def __init__(self, network: str) -> None:
        super().__init__()
        self.network = network
        self.channels = used_maps(network).channels
        self.body = create_features(network)
        use_fast_layers(self.body)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in self.channels)

    def forward(self, images: Float[Tensor, "batch 3 h w"]) -> list[Tensor]:
        maps: list[Tensor] = self.body(images)
        if has_channels_last(self.body):
            maps = [features.permute(0, 3, 1, 2) for features in maps]
        return [norm(features) for norm, features in zip(self.norms, maps, strict=True)]
