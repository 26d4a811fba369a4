"""SSD in the paper's parts: backbone, default boxes, heads, matcher, loss, selection of detections."""

from ssd300.model.architecture import Architecture
from ssd300.model.builders import (
    BUILDERS,
    ssd300_efficientnet_lite0,
    ssd300_efficientnet_lite1,
    ssd300_efficientnet_lite2,
    ssd300_timm,
    ssd300_vgg16,
    ssd512_vgg16,
    ssd_lite0_fpn,
)
from ssd300.model.ssd import SSD

__all__ = [
    "BUILDERS",
    "SSD",
    "Architecture",
    "ssd300_efficientnet_lite0",
    "ssd300_efficientnet_lite1",
    "ssd300_efficientnet_lite2",
    "ssd300_timm",
    "ssd300_vgg16",
    "ssd512_vgg16",
    "ssd_lite0_fpn",
]
