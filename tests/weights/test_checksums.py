"""Each byte of a sealed file is covered: its length, header, metadata, the order of its tensors, and its data."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from ssd300.weights.checksums import OF_DATA, OF_HEADER, UNSEALED, check_header, check_whole, seal

# A value that looks like an entry, as a class could be named so.
METADATA = {"card": '{"classes": ["\\"sha256_data\\":\\"' + "0" * 64 + '\\""]}'} | UNSEALED
TENSORS = {"a": torch.arange(3.0), "b": torch.ones(2, 2, dtype=torch.int64)}


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(TENSORS, path, metadata=METADATA)
    seal(path)
    return path


def test_a_sealed_file_is_whole_and_still_a_safetensors_file(sealed):
    check_header(sealed)
    check_whole(sealed)
    assert torch.equal(load_file(sealed)["a"], TENSORS["a"])


def test_every_flipped_byte_is_noticed(sealed):
    content = sealed.read_bytes()
    header_ends = 8 + int.from_bytes(content[:8], "little")
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        sealed.write_bytes(flipped)
        with pytest.raises(ValueError):
            check_whole(sealed)
        if place < header_ends:
            with pytest.raises(ValueError):
                check_header(sealed)
    sealed.write_bytes(content)
    check_whole(sealed)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:5]])
def test_a_file_of_another_length_is_noticed(sealed, change):
    sealed.write_bytes(change(sealed.read_bytes()))
    with pytest.raises(ValueError):
        check_whole(sealed)


def test_a_file_that_was_never_sealed_is_not_taken(tmp_path):
    for metadata in (METADATA, {OF_HEADER: "0" * 64}, {OF_DATA: "0" * 64}, {}):
        save_file(TENSORS, tmp_path / "w.safetensors", metadata=metadata)
        with pytest.raises(ValueError):
            check_header(tmp_path / "w.safetensors")
