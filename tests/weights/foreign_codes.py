"""SSD300 as other codes build it, written for the tests: modules whose state dicts have their names, and whose forward
pass is a reference that shares nothing with the package."""

import math

import torch
import torch.nn.functional as F
from torch import nn

STAGES = [64, 64, "M", 128, 128, "M", 256, 256, 256, "C", 512, 512, 512, "M", 512, 512, 512]
EXTRAS = [(1024, 256, 1, 1, 0), (256, 512, 3, 2, 1), (512, 128, 1, 1, 0), (128, 256, 3, 2, 1),
          (256, 128, 1, 1, 0), (128, 256, 3, 1, 0), (256, 128, 1, 1, 0), (128, 256, 3, 1, 0)]  # fmt: skip
WIDTHS, PER_CELL = (512, 1024, 512, 256, 256, 256), (4, 6, 6, 6, 4, 4)
CONV4_3 = 23  # modules up to its ReLU


def vgg_modules() -> list[nn.Module]:
    """amdegroot's list: torchvision's features without the last pool, then pool5, conv6 and conv7."""
    modules: list[nn.Module] = []
    channels = 3
    for width in STAGES:
        if width == "M":
            modules.append(nn.MaxPool2d(2, 2))
        elif width == "C":
            modules.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        else:
            modules += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return [*modules, nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.ReLU(),
            nn.Conv2d(1024, 1024, 1), nn.ReLU()]  # fmt: skip


def extra_modules() -> list[nn.Module]:
    return [nn.Conv2d(a, b, k, stride=s, padding=p) for a, b, k, s, p in EXTRAS]


def head_modules(outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(width, cells * outputs, 3, padding=1) for width, cells in zip(WIDTHS, PER_CELL, strict=True)]


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(512))


def run(vgg, scale, extras, loc, conf, images):
    """(offsets, logits) of normalized images."""
    x = images
    for module in vgg[:CONV4_3]:
        x = module(x)
    maps = [x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) * scale.reshape(1, -1, 1, 1)]
    for module in vgg[CONV4_3:]:
        x = module(x)
    maps.append(x)
    for number, module in enumerate(extras):
        x = F.relu(module(x))
        if number % 2:
            maps.append(x)

    def gather(heads, width):
        rows = [head(m).permute(0, 2, 3, 1).reshape(len(images), -1) for head, m in zip(heads, maps, strict=True)]
        return torch.cat(rows, 1).view(len(images), -1, width)

    return gather(loc, 4), gather(conf, conf[0].out_channels // 4)


class Amdegroot(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.vgg = nn.ModuleList(vgg_modules())
        self.L2Norm = Scale()
        self.extras = nn.ModuleList(extra_modules())
        self.loc, self.conf = nn.ModuleList(head_modules(4)), nn.ModuleList(head_modules(outputs))

    def forward(self, images):
        return run(self.vgg, self.L2Norm.weight, self.extras, self.loc, self.conf, images)


class Lufficc(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.vgg = nn.ModuleList(vgg_modules())
        self.backbone.extras = nn.ModuleList(extra_modules())
        self.backbone.l2_norm = Scale()
        self.box_head = nn.Module()
        self.box_head.predictor = nn.Module()
        self.box_head.predictor.cls_headers = nn.ModuleList(head_modules(outputs))
        self.box_head.predictor.reg_headers = nn.ModuleList(head_modules(4))

    def forward(self, images):
        backbone, heads = self.backbone, self.box_head.predictor
        return run(backbone.vgg, backbone.l2_norm.weight, backbone.extras, heads.reg_headers, heads.cls_headers, images)


class Sgrvinod(nn.Module):
    """sgrvinod's and pytorch-SSD300's, with its default boxes as a plain attribute."""

    SOURCES = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.base, self.aux_convs, self.pred_convs = nn.Module(), nn.Module(), nn.Module()
        names = [f"conv{s}_{n}" for s, count in enumerate((2, 2, 3, 3, 3), 1) for n in range(1, count + 1)]
        convolutions = [module for module in vgg_modules() if isinstance(module, nn.Conv2d)]
        for name, module in zip([*names, "conv6", "conv7"], convolutions, strict=True):
            self.base.add_module(name, module)
        for number, module in enumerate(extra_modules()):
            self.aux_convs.add_module(f"conv{8 + number // 2}_{number % 2 + 1}", module)
        for source, loc, conf in zip(self.SOURCES, head_modules(4), head_modules(outputs), strict=True):
            self.pred_convs.add_module(f"loc_{source}", loc)
            self.pred_convs.add_module(f"cl_{source}", conf)
        self.rescale_factors = nn.Parameter(torch.empty(1, 512, 1, 1))
        self.priors_cxcy = sgrvinod_boxes()

    def forward(self, images):
        convolutions = iter(self.base.children())
        vgg = [next(convolutions) if isinstance(module, nn.Conv2d) else module for module in vgg_modules()]
        loc = [getattr(self.pred_convs, f"loc_{source}") for source in self.SOURCES]
        conf = [getattr(self.pred_convs, f"cl_{source}") for source in self.SOURCES]
        return run(vgg, self.rescale_factors, list(self.aux_convs.children()), loc, conf, images)


def sgrvinod_boxes() -> torch.Tensor:
    """cxcywh: centers by map size, scales of its own, ratio .333 for a third, clipped."""
    scales, sizes = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9), (38, 19, 10, 5, 3, 1)
    rows = []
    for k, (scale, size, cells) in enumerate(zip(scales, sizes, PER_CELL, strict=True)):
        ratios = (1.0, 2.0, 0.5) if cells == 4 else (1.0, 2.0, 3.0, 0.5, 0.333)
        for i in range(size):
            for j in range(size):
                for ratio in ratios:
                    rows.append(
                        [(j + 0.5) / size, (i + 0.5) / size, scale * math.sqrt(ratio), scale / math.sqrt(ratio)]
                    )
                    if ratio == 1.0:
                        more = math.sqrt(scale * scales[k + 1]) if k + 1 < len(scales) else 1.0
                        rows.append([(j + 0.5) / size, (i + 0.5) / size, more, more])
    return torch.tensor(rows).clamp(0, 1)


def caffe_boxes(sizes=(30, 60, 111, 162, 213, 264, 315), clip=False) -> torch.Tensor:
    """cxcywh as PriorBox makes them: min size, the square root with the next, then each ratio and its flip."""
    rows = []
    for k, (step, size) in enumerate(zip((8, 16, 32, 64, 100, 300), (38, 19, 10, 5, 3, 1), strict=True)):
        for i in range(size):
            for j in range(size):
                center = [(j + 0.5) * step / 300, (i + 0.5) * step / 300]
                low, middle = sizes[k] / 300, math.sqrt(sizes[k] * sizes[k + 1]) / 300
                rows += [[*center, low, low], [*center, middle, middle]]
                for ratio in (2, 3) if PER_CELL[k] == 6 else (2,):
                    root = math.sqrt(ratio)
                    rows += [[*center, low * root, low / root], [*center, low / root, low * root]]
    boxes = torch.tensor(rows)
    return boxes.clamp(0, 1) if clip else boxes


def decoded(offsets: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """xyxy of offsets with the variances .1 and .2."""
    center = boxes[:, :2] + offsets[..., :2] * 0.1 * boxes[:, 2:]
    size = boxes[:, 2:] * torch.exp(offsets[..., 2:] * 0.2)
    return torch.cat([center - size / 2, center + size / 2], -1)


def initialized(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with random weights that neither blow signals up nor let them vanish, and with biases that matter."""
    random = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        with torch.no_grad():
            if parameter.dim() > 1 and parameter.numel() != 512:
                bound = math.sqrt(4 / parameter[0].numel())
                parameter.uniform_(-bound, bound, generator=random)
            elif parameter.numel() == 512 and parameter.dim() != 1:
                parameter.uniform_(10, 30, generator=random)
            else:
                parameter.uniform_(-0.1, 0.1, generator=random)
    for scale in (part for part in module.modules() if isinstance(part, Scale)):
        with torch.no_grad():
            scale.weight.uniform_(10, 30, generator=random)
    return module.eval()
