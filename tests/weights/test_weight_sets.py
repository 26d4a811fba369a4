"""Sets of weights are found by the names of a known network; tiny tensors stand for them."""

from pathlib import Path

import pytest
import torch

from ssd300.errors import WeightsError
from ssd300.weights.contents import contents_of
from ssd300.weights.detectors import find_detector, names_of
from ssd300.weights.layouts import LAYOUTS
from ssd300.weights.weight_sets import choose, find_sets

KNOWN = ("backbone.0.weight", "backbone.0.bias", "head.bias")


def state(prefix="", names=KNOWN):
    return {prefix + name: torch.zeros(1) for name in names}


def taken(found, key=None):
    return choose(find_sets(contents_of(found), KNOWN), key, "a.pth")


@pytest.mark.parametrize(
    "prefix",
    ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net.", "detector.", "my.own.thing."],
)
def test_any_common_prefix_is_taken_off_and_said(prefix):
    choice = taken(state(prefix) | {"n_averaged": torch.tensor(3)})
    assert (choice.taken.prefix, set(choice.taken.names)) == (prefix, set(KNOWN))
    assert choice.notes() == [f"the prefix '{prefix}' was taken off its names"]


def test_wrappers_inside_names_are_taken_out():
    names = ("backbone._fsdp_wrapped_module.0._checkpoint_wrapped_module.weight", "backbone.module.0.bias", "head.bias")
    choice = taken(state("_fsdp_wrapped_module.", names))
    assert set(choice.taken.names) == set(KNOWN)
    assert len(choice.notes()) == 1 + 3


def test_a_plain_state_dict_needs_no_word():
    assert taken(state()).notes() == []
    assert taken(state()).facts() == {}


@pytest.mark.parametrize("order", [("model", "ema"), ("ema", "model")])
def test_of_model_and_average_the_model_is_taken_and_both_are_named(order):
    choice = taken({key: state() for key in order} | {"optimizer": {"state": {0: state()}}})
    assert choice.describe() == "model (also there: ema)"
    assert "also there: ema" in choice.notes()[0]
    assert "--key" in choice.notes()[0]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("ema", "ema."),
        ("checkpoint.model", "checkpoint.model.module."),
        ("model", "checkpoint.model.module."),
        ("state_dict.teacher", "state_dict.teacher."),
        ("teacher", "state_dict.teacher."),
        ("state_dict", "state_dict.student."),
    ],
)
def test_a_key_chooses_by_whole_name_or_by_a_part(key, place):
    found = {
        "ema": state(),
        "checkpoint": {"model": state("module.")},
        "state_dict": state("teacher.") | state("student."),
    }
    assert taken(found, key).taken.place == place


def test_a_wrong_key_lists_those_there():
    with pytest.raises(WeightsError, match=r"no weights called 'zzz'.*one of: model, ema"):
        taken({"model": state(), "ema": state()}, "zzz")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"model_ema": s, "epoch": 3, "model": s}], ids=["plain", "ema"]
)
def test_every_layout_is_told_from_the_others_under_a_prefix(layout, wrap):
    tensors = state("module.", names_of(layout).values())
    found, choice = find_detector(contents_of(wrap(tensors)), None, Path("a.pth"))
    assert (found.name, choice.taken.prefix) == (layout.name, "module.")
    assert len(choice.taken.names) == 71


def test_a_state_dict_in_parts_is_one_set():
    choice = taken({"backbone": state("", ("0.weight", "0.bias")), "head": state("", ("bias",))})
    assert set(choice.taken.names) == set(KNOWN)


@pytest.mark.slow
def test_a_bomb_of_nested_lists_ends():
    bomb = [torch.zeros(1)]
    for _ in range(40):
        bomb = [bomb, bomb]
    with pytest.raises(ValueError, match="nested"):
        contents_of(bomb)
