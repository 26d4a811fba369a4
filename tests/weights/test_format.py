import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from ssd300.errors import WeightsError
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import LITE
from ssd300.weights import Card, load_weights, read_card, save_weights


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    card = Card(model="ssd300_efficientnet_lite0", classes=("nut", "bolt"), settings=PAPER, normalization=LITE)
    model = card.build().eval()
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(path, model, card)
    return path, model, card


def test_round_trip(saved):
    path, model, card = saved
    loaded, read = load_weights(path)
    assert read == card == read_card(path)
    images = torch.rand(1, 3, 300, 300)
    with torch.no_grad():
        assert torch.equal(model(images).logits, loaded(images).logits)


def changed(saved, tmp_path, *, metadata=None, tensors=None):
    from safetensors import safe_open

    with safe_open(saved[0], framework="pt") as file:
        old = file.metadata()
    path = tmp_path / "w.safetensors"
    save_file(load_file(saved[0]) | (tensors or {}), path, metadata={**old, **(metadata or {})})
    return path


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        ({"format": "other"}, {}, "does not state the classes"),
        ({"format_version": "99"}, {}, "format version 99; this ssd300 reads up to 1"),
        ({"card": "{"}, {}, "metadata cannot be read"),
        ({}, {"mean_of_nothing": torch.zeros(1)}, "checksum"),
    ],
)
def test_files_that_cannot_be_used(saved, tmp_path, metadata, tensors, message):
    path = changed(saved, tmp_path, metadata=metadata, tensors=tensors)
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(path)
    assert str(path) in str(caught.value)


def test_damage_is_found(saved, tmp_path):
    data = bytearray(saved[0].read_bytes())
    data[-1000] ^= 64
    (tmp_path / "flipped.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="checksum"):
        load_weights(tmp_path / "flipped.safetensors")
    (tmp_path / "half.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        load_weights(tmp_path / "half.safetensors")


def test_weights_that_are_not_finite_are_refused(saved, tmp_path):
    card = saved[2]
    model = card.build()
    with torch.no_grad():
        model.heads.logits[0].bias[0] = torch.nan
    save_weights(tmp_path / "nan.safetensors", model, card)
    with pytest.raises(WeightsError, match=r"heads\.logits\.0\.bias holds values that are not finite"):
        load_weights(tmp_path / "nan.safetensors")


def test_other_classes_in_the_card_are_an_error_that_shows_both(saved, tmp_path):
    from safetensors import safe_open

    with safe_open(saved[0], framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    path = changed(saved, tmp_path, metadata={"card": json.dumps(card | {"classes": ["a", "b", "c"]})})
    with pytest.raises(WeightsError, match=r"heads\.logits\.0\.bias is \(12,\) where .* with 3 classes has \(16,\)"):
        load_weights(path)
