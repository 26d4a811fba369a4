import os
import pickle
import zipfile

import pytest
import torch

from ssd300.cli import main
from ssd300.errors import WeightsError
from ssd300.weights.pickled import read_pickled
from ssd300.weights.tensor_files import load_tensors
from ssd300.weights.weight_sets import find_sets
from weights import foreign_files as files


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_would_run_code_is_refused_and_nothing_is_run(tmp_path, capsys, legacy):
    made, path = tmp_path / "made", tmp_path / "evil.pth"
    torch.save({"model": {"a": torch.zeros(3)}, "x": Hostile(made)}, path, _use_new_zipfile_serialization=not legacy)
    assert main(["import", str(path), str(tmp_path / "n.safetensors")]) == 4
    assert "would run" in capsys.readouterr().err
    assert not made.exists()
    assert not (tmp_path / "n.safetensors").exists()


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 3)
        self.register_buffer("mean", torch.arange(4.0))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda network: network.state_dict(),
        lambda network: {f"module.{name}": value for name, value in network.state_dict().items()},
        lambda network: {"epoch": 3, "state_dict": network.state_dict(), "optimizer": {"lr": torch.zeros(())}},
        lambda network: {"model": network, "epoch": 3},
    ],
    ids=["state dict", "DataParallel", "dict around it", "pickled module"],
)
def test_tensors_are_found_wherever_torch_save_put_them(tmp_path, wrap, legacy):
    network = Network()
    torch.save(wrap(network), tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    contents = read_pickled(tmp_path / "a.pth")
    (found,) = find_sets(contents, set(network.state_dict()))
    loaded = load_tensors(contents, found.names.values(), tmp_path / "a.pth")
    for name, value in network.state_dict().items():
        assert torch.equal(loaded[found.names[name]], value)


@pytest.mark.parametrize("legacy", [False, True])
def test_views_and_types_of_numbers_are_those_that_were_saved(tmp_path, legacy):
    base = torch.arange(24).reshape(4, 6)
    tensors = {
        "view": base.T[1:3], "half": base.half(), "wide": base.double(), "brain": base.bfloat16(), "flag": base > 3,
        "scalar": torch.tensor(7, dtype=torch.int16), "empty": torch.zeros(0, 3),
    }  # fmt: skip
    torch.save(tensors, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    found = load_tensors(read_pickled(tmp_path / "a.pth"), tensors, tmp_path / "a.pth")
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


@pytest.mark.slow
def test_damaged_and_hostile_files_each_get_a_sentence(tmp_path):
    good, zipped, bomb = tmp_path / "good.pth", tmp_path / "zipped.pth", tmp_path / "bomb.pth"
    files.amdegroot(good)
    files.lufficc(zipped)
    whole = good.read_bytes()
    flipped = bytearray(zipped.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("a/data/0", bytes(10_000_000))
    cases = {
        "empty.pth": b"",
        "text.pth": b"this is no checkpoint",
        "cut.pth": whole[: len(whole) // 2],
        "cut.zip.pth": zipped.read_bytes()[: len(flipped) // 2],
        "flipped.pth": bytes(flipped),
        "other.pth": pickle.dumps([1, 2, 3]),
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    for name in [*cases, bomb.name]:
        with pytest.raises(WeightsError) as caught:
            read_pickled(tmp_path / name)
        assert len(str(caught.value)) < 500, name
        assert caught.value.where == str(tmp_path / name)
