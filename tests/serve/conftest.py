from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from serving import client_of, running
from ssd300 import Detector


@pytest.fixture(scope="session")
def detector(exported) -> Detector:
    return Detector.load(exported["raw"])


@pytest.fixture
def client(detector) -> Iterator[TestClient]:
    with client_of(detector) as client:
        yield client


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
