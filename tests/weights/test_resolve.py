import pytest

from ssd300.errors import WeightsError
from ssd300.weights import load_weights, read_card, resolve_weights


def test_a_run_folder_stands_for_its_best_weights(light_run):
    assert resolve_weights(light_run) == light_run / "weights/best.safetensors"
    model, card = load_weights(light_run)
    assert card == read_card(light_run / "weights/best.safetensors")
    assert not model.training


def test_a_file_takes_precedence_over_a_published_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "coco").write_bytes(b"")
    assert resolve_weights("coco").samefile(tmp_path / "coco")


def test_what_is_no_weights_file_is_an_error_with_a_remedy(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file") as caught:
        load_weights(tmp_path / "none.safetensors")
    assert "coco" in caught.value.fix
    with pytest.raises(WeightsError, match=r"no weights/best\.safetensors") as caught:
        load_weights(tmp_path)
    assert "ssd300 train" in caught.value.fix
    (tmp_path / "m.onnx").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"no weights/best\.safetensors") as caught:
        load_weights(tmp_path)
    assert caught.value.fix == f"Name {tmp_path / 'm.onnx'}."
