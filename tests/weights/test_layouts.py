import pytest

from ssd300.model import ssd300_vgg16
from ssd300.weights.layouts import LAYOUTS, OURS


def test_our_names_are_all_the_tensors_of_the_detector():
    ours = {f"{prefix}.{kind}" for layer, prefix in OURS.items() for kind in ("weight", "bias") if layer != "norm4_3"}
    assert ours | {f"{OURS['norm4_3']}.weight"} == set(ssd300_vgg16(2).state_dict())


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_names_each_layer_once(layout):
    assert layout.layers.keys() | {"norm4_3"} == OURS.keys()
    assert len(set(layout.layers.values())) == len(layout.layers)
