import sys

import pytest

from ssd300.model import BUILDERS
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import CAFFE, LITE


@pytest.mark.parametrize(
    ("name", "normalization"),
    [
        ("ssd300_vgg16", CAFFE),
        ("ssd300_efficientnet_lite0", LITE),
        ("ssd300_efficientnet_lite2", LITE),
        ("ssd_lite0_fpn", LITE),
    ],
)
def test_a_detector_has_the_papers_boxes_and_the_normalization_of_its_backbone(name, normalization):
    model = BUILDERS[name](3)
    assert (model.settings, model.normalization, model.num_classes) == (PAPER, normalization, 3)


def test_without_timm_the_error_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[light\]"'):
        BUILDERS["ssd300_efficientnet_lite0"](3)


@pytest.mark.parametrize("name", ["ssd300_vgg16", "ssd512_vgg16"])
def test_vgg16_has_the_heads_of_the_paper_alone(name):
    with pytest.raises(ValueError, match="heads is ssdlite"):
        BUILDERS[name](3, heads="ssdlite")
