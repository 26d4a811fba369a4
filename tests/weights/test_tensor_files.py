import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ssd300.errors import WeightsError
from ssd300.weights.tensor_files import load_tensors, read_contents


def test_chainers_arrays_get_the_names_of_torch_in_float32(tmp_path):
    np.savez(tmp_path / "a.npz", **{"a/b/W": np.ones((2, 3)), "a/b/b": np.zeros(2), "norm/scale": np.ones(3), "t": 1})
    found = read_contents(tmp_path / "a.npz").tensors
    assert found.keys() == {"a/b.weight", "a/b.bias", "norm.weight"}
    assert all(value.dtype == torch.float32 for value in found.values())


def test_safetensors_and_torch_files_are_read_by_their_suffix(tmp_path):
    tensors = {"a": torch.arange(3)}
    save_file(tensors, tmp_path / "a.safetensors")
    torch.save(tensors, tmp_path / "a.anything")
    for name in ("a.safetensors", "a.anything"):
        assert torch.equal(load_tensors(read_contents(tmp_path / name), "a", tmp_path)["a"], tensors["a"])


@pytest.mark.parametrize(
    ("name", "data"),
    [("text.npz", b"text"), ("text.safetensors", struct.pack("<Q", 2**60)), ("cut.caffemodel", b"\xa2\x06\xff"),
     ("empty.pth", b""), ("none.pth", None)],
)  # fmt: skip
def test_damaged_and_missing_files_get_a_sentence(tmp_path, name, data):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        read_contents(path)
    assert len(str(caught.value)) < 500
    assert caught.value.where == str(path)
