"""How other codes name the layers of SSD300-VGG16, and what input their networks expect.

Data only. The facts were read in the code that wrote such files: its model for the names, its preprocessing for colors
and means, its default boxes for the settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ssd300.images.resize import ANTIALIASED, BILINEAR, Resize
from ssd300.model.backbone import VGG16_STAGES
from ssd300.model.default_boxes import (
    COCO,
    COCO_CLIPPED,
    PAPER,
    PAPER_CLIPPED,
    PYTORCH_SSD300,
    TORCHVISION,
    DefaultBoxSettings,
)
from ssd300.model.ssd import CAFFE, IMAGENET, Normalization

CONVOLUTIONS = tuple(
    f"conv{stage}_{n}" for stage, widths in enumerate(VGG16_STAGES, 1) for n in range(1, len(widths) + 1)
)
FIRST_STAGES = CONVOLUTIONS[:10]  # conv1_1 to conv4_3
EXTRAS = tuple(f"conv{number}_{half}" for number in range(8, 12) for half in (1, 2))
MAPS = range(6)

# The paper's layers and their names in our detector.
OURS: Mapping[str, str] = (
    {name: f"backbone.{'to_conv4_3' if name in FIRST_STAGES else 'to_conv7'}.{name}" for name in CONVOLUTIONS}
    | {name: f"backbone.to_conv7.{name}" for name in ("conv6", "conv7")}
    | {"norm4_3": "backbone.norm4_3"}
    | {name: f"extras.blocks.{i // 2}.{i % 2 * 2}" for i, name in enumerate(EXTRAS)}
    | {f"offsets{i}": f"heads.offsets.{i}" for i in MAPS}
    | {f"logits{i}": f"heads.logits.{i}" for i in MAPS}
)

# The number of each convolution in torchvision's `vgg16().features`. Other codes took these numbers over.
FEATURES = dict(zip(CONVOLUTIONS, (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), strict=True))
REDUCED_FC = {"conv6": 31, "conv7": 33}  # after them, in amdegroot's vgg16_reducedfc.pth


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One kind of foreign checkpoint.

    `layers` maps the paper's layer names to the file's; the name of a tensor adds ".weight" or ".bias". `scale` is the
    full name of the L2 norm's tensor. `coco_settings` are for checkpoints of COCO, where they differ from `settings`.
    `bgr`: the network's input has blue first. `offsets_yx`: box offsets are (y, x, height, width).
    """

    name: str
    layers: Mapping[str, str]
    scale: str
    settings: DefaultBoxSettings
    coco_settings: DefaultBoxSettings | None = None
    normalization: Normalization = CAFFE
    resize: Resize = BILINEAR
    bgr: bool = False
    offsets_yx: bool = False
    clip_boxes: bool = False


def _heads(offsets: str, logits: str) -> dict[str, str]:
    return {f"offsets{i}": offsets.format(i) for i in MAPS} | {f"logits{i}": logits.format(i) for i in MAPS}


# torchvision/models/detection/ssd.py. Its means are Caffe's, for pixels in 0..1.
TORCHVISION_SSD300 = Layout(
    name="torchvision ssd300_vgg16",
    layers={name: f"backbone.features.{FEATURES[name]}" for name in FIRST_STAGES}
    | {name: f"backbone.extra.0.{FEATURES[name] - 23}" for name in CONVOLUTIONS[10:]}
    | {"conv6": "backbone.extra.0.7.1", "conv7": "backbone.extra.0.7.3"}
    | {name: f"backbone.extra.{i // 2 + 1}.{i % 2 * 2}" for i, name in enumerate(EXTRAS)}
    | _heads("head.regression_head.module_list.{}", "head.classification_head.module_list.{}"),
    scale="backbone.scale_weight",
    settings=TORCHVISION,
    normalization=Normalization(mean=(0.48235, 0.45882, 0.40784), std=(1 / 255, 1 / 255, 1 / 255)),
    clip_boxes=True,
)

# amdegroot/ssd.pytorch: ssd.py, data/config.py. data/voc0712.py turns OpenCV's BGR into RGB, minus the means.
AMDEGROOT = Layout(
    name="amdegroot/ssd.pytorch",
    layers={name: f"vgg.{number}" for name, number in (FEATURES | REDUCED_FC).items()}
    | {name: f"extras.{i}" for i, name in enumerate(EXTRAS)}
    | _heads("loc.{}", "conf.{}"),
    scale="L2Norm.weight",
    settings=PAPER_CLIPPED,
    coco_settings=COCO_CLIPPED,
)

# lufficc/SSD: modeling/backbone/vgg.py, modeling/box_head/box_predictor.py, config/defaults.py.
LUFFICC = Layout(
    name="lufficc/SSD",
    layers={name: f"backbone.vgg.{number}" for name, number in (FEATURES | REDUCED_FC).items()}
    | {name: f"backbone.extras.{i}" for i, name in enumerate(EXTRAS)}
    | _heads("box_head.predictor.reg_headers.{}", "box_head.predictor.cls_headers.{}"),
    scale="backbone.l2_norm.weight",
    settings=PAPER_CLIPPED,
    coco_settings=COCO_CLIPPED,
)

# model.py of sgrvinod's tutorial, which pytorch-SSD300 took over. Its detect.py normalizes with ImageNet's mean and
# standard deviation, and resizes with Pillow.
_SOURCES = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")
SGRVINOD = Layout(
    name="sgrvinod's tutorial or pytorch-SSD300",
    layers={name: f"base.{name}" for name in (*CONVOLUTIONS, "conv6", "conv7")}
    | {name: f"aux_convs.{name}" for name in EXTRAS}
    | {f"offsets{i}": f"pred_convs.loc_{source}" for i, source in enumerate(_SOURCES)}
    | {f"logits{i}": f"pred_convs.cl_{source}" for i, source in enumerate(_SOURCES)},
    scale="rescale_factors",
    settings=PYTORCH_SSD300,
    normalization=IMAGENET,
    resize=ANTIALIASED,
)

# weiliu89/caffe, branch ssd: examples/ssd/ssd_pascal.py and python/caffe/model_libs.py.
_CAFFE_SOURCES = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")
CAFFEMODEL = Layout(
    name="caffemodel",
    layers={name: name for name in CONVOLUTIONS}
    | {"conv6": "fc6", "conv7": "fc7"}
    | {name: f"conv{i // 2 + 6}_{i % 2 + 1}" for i, name in enumerate(EXTRAS)}
    | {f"offsets{i}": f"{source}_mbox_loc" for i, source in enumerate(_CAFFE_SOURCES)}
    | {f"logits{i}": f"{source}_mbox_conf" for i, source in enumerate(_CAFFE_SOURCES)},
    scale="conv4_3_norm.weight",
    settings=PAPER,
    coco_settings=COCO,
    bgr=True,
)

# chainer/chainercv: links/model/ssd, examples/ssd/caffe2npz.py.
CHAINERCV = Layout(
    name="ChainerCV",
    layers={name: f"extractor/{name}" for name in (*CONVOLUTIONS, "conv6", "conv7", *EXTRAS)}
    | _heads("multibox/loc/{}", "multibox/conf/{}"),
    scale="extractor/norm4.weight",
    settings=PAPER,
    offsets_yx=True,
)

LAYOUTS = (TORCHVISION_SSD300, AMDEGROOT, LUFFICC, SGRVINOD, CAFFEMODEL, CHAINERCV)
