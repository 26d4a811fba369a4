from collections.abc import Iterator

import pytest
import torch
from starlette.testclient import TestClient

from serving import client_of, running
from ssd300 import Detector
from ssd300.weights import load_weights, save_weights


@pytest.fixture(scope="session")
def detector(exported) -> Detector:
    return Detector.load(exported["raw"])


@pytest.fixture
def client(detector) -> Iterator[TestClient]:
    with client_of(detector) as client:
        yield client


@pytest.fixture(scope="session")
def unsure_run(light_run_of_session, tmp_path_factory):
    """The same network with lower scores, which differ from one another."""
    model, card = load_weights(light_run_of_session)
    with torch.no_grad():
        for parameter in model.heads.logits.parameters():
            parameter.mul_(0.1)
    path = tmp_path_factory.mktemp("unsure") / "weights.safetensors"
    save_weights(path, model, card)
    return path


@pytest.fixture(scope="session")
def server(unsure_run):
    with running(unsure_run) as server:
        yield server


@pytest.fixture
def photo(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[0]


@pytest.fixture
def second(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[1]
