import json
import random
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ssd300.errors import WeightsError
from ssd300.model import Architecture
from ssd300.model.default_boxes import PAPER
from ssd300.model.ssd import LITE
from ssd300.weights import Card, load_weights, read_card, save_weights
from ssd300.weights.format import CHECKSUM_1, _checksum, is_ours


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


def test_heads_of_ssdlite_are_stored_and_those_of_the_paper_are_not_mentioned(saved, tmp_path):
    card = replace(saved[2], model="ssd_lite0_fpn", heads="ssdlite")
    model = card.build().eval()
    save_weights(tmp_path / "lite.safetensors", model, card)
    loaded, read = load_weights(tmp_path / "lite.safetensors")
    assert read == card
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.state_dict().items())
    assert "heads" not in saved[2].to_json()


def test_a_backbone_of_timm_is_stored_and_that_of_our_models_is_not_mentioned(saved, tmp_path):
    architecture = Architecture(model="ssd300_timm", backbone="timm:mobilenetv3_small_050")
    model = architecture.build(2, settings=architecture.shape.default_boxes("paper", 96))
    card = Card(model="ssd300_timm", classes=("a", "b"), settings=model.settings, normalization=model.normalization,
                backbone=architecture.backbone)  # fmt: skip
    save_weights(tmp_path / "w.safetensors", model, card)
    assert read_card(tmp_path / "w.safetensors") == card
    state = load_weights(tmp_path / "w.safetensors")[0].state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert "backbone" not in replace(card, model="ssd300_vgg16", backbone=None).to_json()


def test_heads_of_a_newer_version_are_named(saved, tmp_path):
    path = changed(saved, tmp_path, metadata={"card": json.dumps(saved[2].to_json() | {"heads": "ssdhuge"})})
    with pytest.raises(WeightsError, match="the heads are ssdhuge; this ssd300 has ssd, ssdlite"):
        read_card(path)


def changed(saved, tmp_path, *, metadata=None, tensors=None):
    """A file of version 1, as ssd300 wrote it before, with changes that its checksum does not cover or does."""
    with safe_open(saved[0], framework="pt") as file:
        old = {"format": "ssd300", "card": file.metadata()["card"], "format_version": "1"}
    own = load_file(saved[0])
    path = tmp_path / "w.safetensors"
    save_file(own | (tensors or {}), path, metadata=old | {CHECKSUM_1: _checksum(own)} | (metadata or {}))
    return path


def test_a_file_of_version_1_still_loads(saved, tmp_path):
    path = changed(saved, tmp_path)
    model, card = load_weights(path)
    assert card == saved[2] == read_card(path)
    assert all(torch.equal(tensor, saved[1].state_dict()[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        ({"format": "other"}, {}, "its header is not whole"),
        ({"format_version": "99"}, {}, "format version 99; this ssd300 reads up to 2"),
        ({"format_version": "2"}, {}, "damaged"),
        ({"format_version": "²"}, {}, "format version ²"),
        ({"card": "{"}, {}, "metadata cannot be read"),
        ({"card": "[]"}, {}, "metadata cannot be read"),
        ({"card": '{"settings": [], "normalization": {}}'}, {}, "metadata cannot be read"),
        ({}, {"mean_of_nothing": torch.zeros(1)}, "checksum"),
    ],
)
def test_files_that_cannot_be_used(saved, tmp_path, metadata, tensors, message):
    path = changed(saved, tmp_path, metadata=metadata, tensors=tensors)
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(path)
    assert str(path) in str(caught.value)


def test_a_file_of_another_program_is_told_from_a_damaged_one_of_ours(saved, tmp_path):
    assert is_ours(changed(saved, tmp_path, metadata={"format": "ssd3o0"}))
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors", metadata={"format": "pt", "card": "of mine"})
    assert not is_ours(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="does not state the classes"):
        load_weights(tmp_path / "other.safetensors")


def test_a_flipped_byte_of_the_header_is_noticed_wherever_it_is(saved, tmp_path):
    """Of 300 such flips, 30 once gave another card or network in silence, and one an exception of another kind."""
    content = saved[0].read_bytes()
    header_ends = 8 + int.from_bytes(content[:8], "little")
    chance, path = random.Random(0), tmp_path / "flipped.safetensors"
    path.write_bytes(content)
    card = content.index(b'"card":')
    names = [content.index(f'"{name}"'.encode()) for name in ("format", "format_version", "sha256_header")]
    places = [range(8), range(card, card + 30), *(range(at, at + 25) for at in names)]
    with path.open("rb+") as file:
        for place in [*(place for some in places for place in some), *chance.sample(range(8, header_ends), 300)]:
            file.seek(place)
            file.write(bytes([content[place] ^ 1 << chance.randrange(8)]))
            file.flush()
            with pytest.raises(WeightsError):
                read_card(path)
            file.seek(place)
            file.write(content[place : place + 1])
    assert read_card(path) == saved[2]


def test_damage_is_found(saved, tmp_path):
    data = bytearray(saved[0].read_bytes())
    data[-1000] ^= 64
    (tmp_path / "flipped.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="the checksum does not match its weights"):
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
    with safe_open(saved[0], framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    path = changed(saved, tmp_path, metadata={"card": json.dumps(card | {"classes": ["a", "b", "c"]})})
    with pytest.raises(WeightsError, match=r"heads\.logits\.0\.bias is \(12,\) where .* with 3 classes has \(16,\)"):
        load_weights(path)
