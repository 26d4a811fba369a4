"""The page without a network, and its service worker when the site changes."""

import shutil

import pytest
from playwright.sync_api import expect

from browsing import choose, found
from folder_server import serving_folder
from kept_offline import KEPT, kept_files, note_change

pytestmark = pytest.mark.slow

READY = "Works offline"


@pytest.fixture
def copied(site, tmp_path):
    return shutil.copytree(site, tmp_path / "site")


def test_after_the_first_visit_it_needs_no_network(opened, copied, photos):
    with serving_folder(copied.parent) as root:
        page = opened(f"{root}site/")
        expect(page.locator("#offline")).to_have_text(READY, timeout=60_000)
        choose(page, photos[0])
        before = found(page)
    page.context.set_offline(True)  # and the server is gone
    for end in ("", "index.html", "?from=here"):
        page.goto(f"{root}site/{end}")
        expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
    choose(page, photos[0])
    assert found(page) == before
    (name,) = page.evaluate(KEPT)
    assert name.startswith(f"ssd300 {root}site/ ")
    files = kept_files(copied)
    assert page.evaluate(KEPT)[name] == len(files["files"]) - len(files["webgpu"])  # this browser has no GPU


def test_a_new_version_replaces_the_old_one(opened, copied):
    with serving_folder(copied) as address:
        page = opened(address)
        expect(page.locator("#offline")).to_have_text(READY, timeout=60_000)
        (first,) = page.evaluate(KEPT)

        style = copied / "static/page.css"
        style.write_text(style.read_text() + "h1 { color: rgb(1, 2, 3); }\n")
        note_change(copied, "static/page.css", version="another")

        page.reload()  # the old one answers, and the new one is loaded meanwhile
        expect(page.locator("#offline")).to_have_text(READY)
        for _ in range(100):
            names = list(page.evaluate(KEPT))
            if names == [first.rpartition(" ")[0] + " another"]:
                break
            page.wait_for_timeout(100)
        assert names == [first.rpartition(" ")[0] + " another"]
        page.reload()
        expect(page.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")


def test_a_file_of_another_version_is_not_kept(browser, copied):
    with (copied / "static/header.js").open("a") as file:
        file.write("// half of an upload\n")
    with serving_folder(copied) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#model")).to_contain_text("2 classes", timeout=60_000)
        for _ in range(100):
            if page.evaluate("async () => !(await navigator.serviceWorker.getRegistration())"):
                break
            page.wait_for_timeout(100)
        assert set(page.evaluate(KEPT).values()) <= {0}
        expect(page.locator("#offline")).to_have_text("")
        page.close()
