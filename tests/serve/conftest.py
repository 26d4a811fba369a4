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


@pytest.fixture(scope="module")  # not longer: while it is open, this thread can run no other event loop
def browser():
    from browsing import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Opens the page of a server. The test fails if the page requests anything elsewhere or a script fails."""
    faults, contexts = [], []

    def note_error(message):
        handled = message.text.startswith("Failed to load resource")  # an error status, which the page shows
        if message.type == "error" and not handled:
            faults.append(message.text)

    def opened(server, *, host="127.0.0.1", end="/", prepare=None, **options):
        address = server.address.replace("127.0.0.1", host)
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        if prepare:
            prepare(page)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note_error)
        page.on("request", lambda request: None if request.url.startswith((address, "blob:", "data:"))
                else faults.append(request.url))  # fmt: skip
        page.goto(address + end)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def photo(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[0]


@pytest.fixture
def second(voc_sample):
    return sorted((voc_sample / "VOC2007/JPEGImages").glob("*.jpg"))[1]
