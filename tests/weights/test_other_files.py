import zipfile

import pytest

from ssd300.errors import WeightsError
from ssd300.weights.other_files import check_is_checkpoint

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
