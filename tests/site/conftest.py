"""A site of drawn weights, its address, and Chromium to open it."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from folder_server import serving_folder
from ssd300.cli import main
from ssd300.system.cache_folder import cache_folder
from ssd300.system.web_runtime import PACKAGE


@pytest.fixture(scope="session")
def photos():
    return sorted((Path(__file__).parents[1] / "data_files/bccd/JPEGImages").glob("*.jpg"))


@pytest.fixture(scope="session")
def web_package():
    """The real npm package: CI downloads it before the tests."""
    package = cache_folder() / PACKAGE.name
    if not package.is_file():
        pytest.skip("ONNX Runtime Web is not here: run `ssd300 download web-runtime`")
    return package


@pytest.fixture(scope="session")
def site(web_package, unsure_run, tmp_path_factory):
    """Exported once for all workers: their weights are equal."""
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "web" / "site"
    out.parent.mkdir(exist_ok=True)
    with FileLock(f"{out.parent}.lock"):
        if not (out / "index.html").exists():  # written last
            assert main(["export", "--weights", str(unsure_run), "--format", "web", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def address(site):
    """Below a path, as on hosts that serve the pages of many people."""
    with serving_folder(site.parent) as root:
        yield f"{root}{site.name}/"


@pytest.fixture
def opened(browser):
    """Opens a page. The test fails if the page asks for anything elsewhere, or if a script fails."""
    faults, contexts = [], []

    def show(address, *, context=None, prepare=None, **options):
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        place = address.partition("?")[0]
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        context.on("request", lambda request: None if request.url.startswith((place, "blob:", "data:"))
                   else faults.append(request.url))  # fmt: skip
        if prepare:
            prepare(page)
        page.goto(address)
        return page

    yield show
    for context in contexts:
        context.close()
    assert faults == []
