import numpy as np
import pytest
import torch

from ssd300.errors import WeightsError
from ssd300.weights.caffemodel import read_caffemodel
from weights.foreign_files import message, varint

WEIGHT, BIAS = np.arange(6, dtype="<f4").reshape(2, 3), np.array([0.5, -1], "<f4")


def new_blob(values):
    return message(7, message(1, b"".join(map(varint, values.shape)))) + message(5, values.tobytes())


def old_blob(values):
    sides = [1] * (4 - values.ndim) + list(values.shape)
    return b"".join(varint(n << 3) + varint(side) for n, side in enumerate(sides, 1)) + message(5, values.tobytes())


@pytest.mark.parametrize(("layer", "name", "blobs", "blob"), [(100, 1, 7, new_blob), (2, 4, 6, old_blob)])
def test_both_formats_give_the_blobs_in_their_shapes(tmp_path, layer, name, blobs, blob):
    inner = message(name, b"fc") + message(blobs, blob(WEIGHT)) + message(blobs, blob(BIAS))
    relu = message(layer, message(name, b"relu"))  # without blobs
    (tmp_path / "a.caffemodel").write_bytes(message(1, b"a network") + message(layer, inner) + relu)
    found = read_caffemodel(tmp_path / "a.caffemodel")
    assert found.keys() == {"fc.weight", "fc.bias"}
    assert torch.equal(found["fc.weight"], torch.from_numpy(WEIGHT))
    assert torch.equal(found["fc.bias"], torch.from_numpy(BIAS))


@pytest.mark.parametrize(
    "data",
    [
        message(100, message(1, b"conv1_1"))[:-3],
        b"",
        varint(100 << 3 | 2) + varint(2**40),
        message(100, message(1, b"c") + message(7, message(7, message(1, varint(9))))),
        message(100, message(1, b"relu")),
        b"\xff" * 20,
    ],
    ids=["cut", "empty", "too long a field", "a shape without numbers", "no blobs", "an endless integer"],
)
def test_damaged_files_get_a_sentence(tmp_path, data):
    path = tmp_path / "a.caffemodel"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="caffemodel") as caught:
        read_caffemodel(path)
    assert len(str(caught.value)) < 500
    assert caught.value.where == str(path)
