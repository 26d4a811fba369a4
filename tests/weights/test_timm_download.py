import logging
import socket
import time

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants

from ssd300.errors import WeightsError
from ssd300.model import ssd300_timm
from ssd300.model.ssd import CAFFE, IMAGENET
from ssd300.weights.start import initialize
from ssd300.weights.timm_download import downloaded

NETWORK = "mobilenetv3_small_050"
ON_HUB = "timm/mobilenetv3_small_050.lamb_in1k"


@pytest.fixture
def hub(file_server, monkeypatch):
    """In place of the Hugging Face Hub, with nothing in the cache."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", file_server.address("gone"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_names: None)


@pytest.fixture
def timm_file(tmp_path):
    import timm

    torch.manual_seed(3)
    torch.save(timm.create_model(NETWORK).state_dict(), str(tmp_path / "timm.pth"))
    return tmp_path / "timm.pth"


def on_timm(network=NETWORK):
    return ssd300_timm(3, backbone=f"timm:{network}", normalization=CAFFE)


def check_filled(model, file):
    whole = torch.load(str(file), weights_only=True)
    assert all(torch.equal(tensor, whole[name]) for name, tensor in model.backbone.body.state_dict().items())
    assert model.normalization == IMAGENET


def test_timms_own_weights_with_their_normalization_and_license(hub, monkeypatch, timm_file):
    import timm

    create, overlay = timm.create_model, {"file": str(timm_file)}
    monkeypatch.setattr(timm, "create_model", lambda *a, **b: create(*a, **b, pretrained_cfg_overlay=overlay))
    model = on_timm()
    start = initialize(model, "imagenet")
    check_filled(model, timm_file)
    assert all(name.startswith(("extras", "heads", "backbone.norms")) for name in start.random)
    assert start.source == ON_HUB
    assert start.notes == (f"the license of {ON_HUB}, as timm has it: apache-2.0",)


def test_what_is_in_the_cache_is_taken_without_a_connection(monkeypatch, timm_file):
    wanted = {(ON_HUB, "pytorch_model.bin"): str(timm_file)}
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *names: wanted.get(names))
    model = on_timm()
    initialize(model, "imagenet")
    check_filled(model, timm_file)


def test_without_a_connection_the_error_comes_at_once_and_says_which_file_to_get(hub, monkeypatch, capfd):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(WeightsError, match=rf"127\.0\.0\.1:\d+: no server answered.*{ON_HUB}.*--init FILE"):
            downloaded(NETWORK)
    assert time.monotonic() - start < 5
    assert capfd.readouterr() == ("", "")


def test_what_timm_logs_is_not_shown_and_its_loggers_stay_as_they_were(hub, monkeypatch, capfd):
    import timm

    def offline(*_arguments, **_options):
        for name in ("huggingface_hub.file_download", "timm.models._builder"):
            logging.getLogger(name).warning("Retrying in 8s")
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    before = [logging.getLogger(name).level for name in ("huggingface_hub", "timm")]
    with pytest.raises(WeightsError, match=rf"\(no route to host\).*{ON_HUB}.*--init FILE"):
        downloaded(NETWORK)
    assert capfd.readouterr() == ("", "")
    assert [logging.getLogger(name).level for name in ("huggingface_hub", "timm")] == before


def test_a_network_without_weights_says_so():
    with pytest.raises(WeightsError, match=r"timm has no weights of cspresnet50d"):
        initialize(on_timm("cspresnet50d"), "imagenet")
