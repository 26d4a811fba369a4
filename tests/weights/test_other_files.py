import zipfile

import pytest
import torch

from ssd300.errors import WeightsError
from ssd300.weights import read_card
from ssd300.weights.other_files import check_is_checkpoint, check_may_be_weights, not_our_weights
from ssd300.weights.start_file import check_start

FILES = {
    "a.onnx": (b"\x08\x07", "an ONNX file"),
    "a.h5": (b"\x89HDF\r\n\x1a\n", "Keras"),
    "a.pth": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "frozen.pb": (b"", "TensorFlow"),
    "model.safetensors.index.json": (b"{}", "several parts"),
    "page.pth": (b"<!DOCTYPE html><html>", "a web page"),
    "pointer.safetensors": (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
    "a.tflite": (b"\0\0\0\0TFL3", "TensorFlow"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_tools_are_called_by_their_name(tmp_path, name):
    data, what = FILES[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WeightsError, match=what):
        check_is_checkpoint(tmp_path / name)


@pytest.mark.parametrize("entry", ["a/models/model.json", "serialized_exported_program.json"])
def test_an_archive_of_torch_export_is_told_with_what_to_do(tmp_path, entry):
    with zipfile.ZipFile(tmp_path / "a.pt2", "w") as archive:
        archive.writestr(entry, "{}")
    with pytest.raises(WeightsError, match=r"torch\.export archive.*state_dict"):
        check_is_checkpoint(tmp_path / "a.pt2")


def test_a_folder_is_no_file_and_one_in_it_is_named(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(WeightsError, match=r"a folder.*model\.safetensors"):
        check_is_checkpoint(tmp_path)


NO_START = {
    "a.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "this is an image, not weights"),
    "labels.xml": (b"<annotation><folder>", "this is an XML file, not weights"),
    "m.xml": (b'<?xml version="1.0"?>\n<net name="m">', "a file of OpenVINO"),
    "config.yaml": (b"model: ssd300_vgg16", "this is a text file, not weights"),
    "m.onnx": (b"\x08\x07", "an exported file already"),
    "last.pt": (b"\x80\x02}q", "the state of a run, not weights.*Name the run"),
}


@pytest.mark.parametrize("name", NO_START)
def test_a_run_does_not_start_from_a_file_without_weights(tmp_path, name):
    data, what = NO_START[name]
    (tmp_path / "config.yaml").touch()
    (tmp_path / "state").mkdir()
    place = tmp_path / "state" / name
    place.write_bytes(data)
    with pytest.raises(WeightsError, match=what):
        check_start(str(place))


@pytest.mark.parametrize("name", ["a.pth", "pytorch_model.bin", "a.pkl", "last.pt"])
def test_a_checkpoint_of_any_name_may_be_weights(tmp_path, name):
    torch.save({"a": torch.zeros(1)}, tmp_path / name)
    check_may_be_weights(tmp_path / name)
    torch.save({"a": torch.zeros(1)}, tmp_path / name, _use_new_zipfile_serialization=False)
    check_may_be_weights(tmp_path / name)


NOT_WEIGHTS = {
    "a.png": (b"\x89PNG\r\n\x1a\n\0\0", "this is an image, not weights"),
    "m.onnx": (b"\x08\x07", "an exported file already.*the weights that it was made from"),
    "clip.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isom", "this is a video, not weights"),
    "a.pdf": (b"%PDF-1.4", "this is a PDF document, not weights"),
    "photos.zip": (b"PK\3\4\0\0", "this is an archive or a compressed file, not weights"),
    "old.pth": (b"\x80\x02}q", "a checkpoint of another program.*ssd300 import"),
    "a.h5": (b"\x89HDF\r\n\x1a\n", "a file of Keras, not weights"),
    "notes.md": (b"# Notes", "a text file, not weights"),
    "none.safetensors": (b"", "an empty file"),
    "half.safetensors": (b"\x10\0\0\0\0\0\0\0{", "not a complete safetensors file"),
}


@pytest.mark.parametrize("name", NOT_WEIGHTS)
def test_a_file_given_as_weights_is_called_what_it_is(tmp_path, name):
    data, what = NOT_WEIGHTS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WeightsError, match=what):
        read_card(tmp_path / name)


def test_files_of_openvino_and_checkpoints_of_torch_are_known_by_their_parts(tmp_path):
    for name in ("m.xml", "m.bin", "alone.xml"):
        (tmp_path / name).write_bytes(b"<?xml ")
    with zipfile.ZipFile(tmp_path / "model", "w") as archive:
        archive.writestr("model/data.pkl", "")
    words = {
        name: str(not_our_weights(tmp_path / name, OSError())) for name in ("m.xml", "m.bin", "alone.xml", "model")
    }
    assert all("an exported file already" in words[name] for name in ("m.xml", "m.bin"))
    assert "an exported file already" not in words["alone.xml"]
    assert "a checkpoint of another program" in words["model"]
