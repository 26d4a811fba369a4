"""The weights that a run wrote, and whether those of two runs are equal."""

from pathlib import Path

import torch

from ssd300.weights import load_weights

LAST, LAST_AVERAGED = "weights/last.safetensors", "weights/last_ema.safetensors"


def run_weights(out: Path, name: str = LAST) -> dict[str, torch.Tensor]:
    return load_weights(out / name)[0].state_dict()


def assert_equal_weights(one: Path, other: Path, name: str = LAST) -> None:
    first, second = run_weights(one, name), run_weights(other, name)
    assert first.keys() == second.keys()
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key]), key
