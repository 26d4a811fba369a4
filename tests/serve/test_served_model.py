"""What is loaded is named by checksum, and a private copy is what all workers load."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from serving import client_of
from ssd300.errors import RunError, WeightsError
from ssd300.serve.process import Source, fixed, load
from ssd300.serve.served_model import copy_model, model_of


@pytest.fixture
def weights(exported, tmp_path) -> Path:
    path = tmp_path / "user/m.onnx"
    path.parent.mkdir()
    path.write_bytes(Path(exported["raw"]).read_bytes())
    return path


def test_the_answer_names_what_is_loaded_and_what_became_of_the_file(detector, weights):
    model = model_of(str(weights))
    with client_of(detector, model=model) as client:

        def loaded():
            return client.get("/v1/model").json()["weights"]

        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        assert loaded() == {
            "name": "m.onnx", "files": [{"name": "m.onnx", "sha256": digest}], "on_disk": "unchanged",
        }  # fmt: skip
        os.utime(weights, (1, 1))
        assert loaded()["on_disk"] == "unchanged"  # the same bytes
        weights.write_bytes(b"another")
        assert loaded()["on_disk"] == "changed"
        weights.unlink()
        assert loaded() | {"on_disk": "-"} == {
            "name": "m.onnx", "files": [{"name": "m.onnx", "sha256": digest}], "on_disk": "-",
        }  # fmt: skip
        assert loaded()["on_disk"] == "missing"


def test_a_program_that_tells_no_file_gets_none(client):
    assert client.get("/v1/model").json()["weights"] is None


def test_a_copy_is_loaded_after_the_file_is_gone(weights):
    source = Source(weights=str(weights), device="auto", precision=None)
    with fixed(source, workers=2) as copied:
        assert Path(copied.weights).read_bytes() == weights.read_bytes()
        weights.unlink()
        assert load(copied).card.classes
        Path(copied.weights).write_bytes(b"another")
        with pytest.raises(RunError, match="gone or damaged"):
            load(copied)
    assert not Path(copied.weights).exists()


def test_a_file_that_changes_while_it_is_loaded_is_not_served(weights):
    source = Source(weights=str(weights), device="auto", precision=None)
    with fixed(source, workers=1) as named:
        weights.write_bytes(weights.read_bytes() + b"\0")
        with pytest.raises((RunError, WeightsError)):
            load(named)


def test_a_damaged_file_is_named_by_its_own_path(weights):
    weights.write_bytes(b"another")
    source = Source(weights=str(weights), device="auto", precision=None)
    with fixed(source, workers=2) as copied, pytest.raises(WeightsError) as caught:
        load(copied)
    assert caught.value.where == str(weights)


def test_the_two_files_of_openvino_are_copied_together(tmp_path):
    (tmp_path / "m.xml").write_text("a")
    (tmp_path / "m.bin").write_text("b")
    folder = tmp_path / "copy"
    folder.mkdir()
    model, copy = copy_model(str(tmp_path / "m.xml"), folder)
    assert [file.path.name for file in model.files] == ["m.xml", "m.bin"]
    assert (copy.read_text(), copy.with_suffix(".bin").read_text()) == ("a", "b")
    (folder / "m.bin").unlink()
    with pytest.raises(RunError, match="gone or damaged"):
        model.check_copy(copy)


def test_a_run_folder_stands_for_its_best_weights(light_run):
    model = model_of(str(light_run))
    assert (model.name, model.files[0].path.name) == (Path(light_run).name, "best.safetensors")


def test_a_full_disk_is_named(weights, tmp_path, monkeypatch):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")
    (tmp_path / "copy").mkdir()
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode="r": opened(full, "wb") if mode == "xb" else opened(path, mode))
    with pytest.raises(RunError, match=r"for the workers cannot be written.*MB: free .* TMPDIR") as caught:
        copy_model(str(weights), tmp_path / "copy")
    assert caught.value.where == str(tmp_path / "copy")
    assert os.strerror(errno.ENOSPC) in caught.value.what
