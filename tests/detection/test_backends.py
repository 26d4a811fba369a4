"""The name of the weights decides what runs them, and what each backend refuses is a UsageError."""

import pytest
import torch

from ssd300.detection.backends import ExportedFile, TorchWeights, backend_for, is_exported, load_network
from ssd300.detection.torch_network import TorchNetwork
from ssd300.errors import UsageError
from ssd300.runtime import ExportedNetwork


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ("a/m.onnx", ExportedFile),
        ("M.XML", ExportedFile),
        ("best.safetensors", TorchWeights),
        ("runs/a", TorchWeights),
        ("coco", TorchWeights),
    ],
)
def test_the_ending_decides_the_backend(weights, kind):
    assert isinstance(backend_for(weights), kind)
    assert is_exported(weights) == (kind is ExportedFile)


@pytest.mark.slow
def test_weights_are_loaded_by_their_backend(light_run, exported):
    assert isinstance(load_network(light_run), TorchNetwork)
    network = load_network(exported["raw"], device="auto", precision="fp32", threads=1)
    assert isinstance(network, ExportedNetwork)
    assert network.card.classes == ("blue", "red")
    for facts in (backend_for(light_run).facts(), backend_for(exported["raw"]).facts()):
        assert (list(facts["classes"]), facts["input_size"]) == (["blue", "red"], [300, 300])
        assert {"file", "model", "normalization", "resize", "metric", "min_scores", "data", "licence"} <= facts.keys()


@pytest.mark.slow
def test_an_exported_file_refuses_what_it_cannot_do(exported):
    backend = backend_for(exported["raw"])
    assert (backend.choose_device("auto"), backend.precisions("cpu")) == ("cpu", ["fp32"])
    with pytest.raises(UsageError, match="runs on the CPU, not on cuda"):
        backend.choose_device("cuda")
    with pytest.raises(UsageError, match="the precision of its export, fp32"):
        backend.load(precision="bfloat16")
    with pytest.raises(UsageError, match="cannot be compiled"):
        backend.compile(backend.load(), 1)


def test_the_number_of_threads_is_set_and_set_back(light_run):
    before = torch.get_num_threads()
    with backend_for(light_run).running_on(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_emulated_bfloat16_gets_a_note(light_run, monkeypatch):
    backend = backend_for(light_run)
    monkeypatch.setattr("ssd300.system.environment.cpu_has_bf16", lambda: False)
    assert backend.precisions("cpu") == ["float32"]
    assert backend.notes("cpu", "bfloat16")
    assert not backend.notes("cpu", None)
