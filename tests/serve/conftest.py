from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from serving import client_of
from ssd300 import Detector


@pytest.fixture(scope="session")
def detector(exported) -> Detector:
    return Detector.load(exported["raw"])


@pytest.fixture
def client(detector) -> Iterator[TestClient]:
    with client_of(detector) as client:
        yield client
