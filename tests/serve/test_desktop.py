import sys
import threading
import webbrowser

import pytest

from ssd300.serve.desktop import open_browser

ADDRESS = "http://127.0.0.1:8300/"


class Browser(webbrowser.BaseBrowser):
    """Waits until the test has seen that nobody waits for it."""

    def __init__(self):
        super().__init__()
        self.opened, self.go_on = threading.Event(), threading.Event()

    def open(self, url, new=0, autoraise=True):
        assert self.go_on.wait(10)
        assert url == ADDRESS
        self.opened.set()
        return True


@pytest.fixture
def no_desktop(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"])
def test_a_browser_is_opened_and_not_waited_for(variable, no_desktop, monkeypatch):
    browser = Browser()
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert open_browser(ADDRESS)
    browser.go_on.set()
    assert browser.opened.wait(10)


def test_without_a_desktop_none_is_looked_for(no_desktop, monkeypatch):
    monkeypatch.setattr(webbrowser, "get", lambda: pytest.fail("looked for one"))
    assert not open_browser(ADDRESS)


def test_a_browser_in_the_terminal_is_no_desktops(no_desktop, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("w3m"))
    assert not open_browser(ADDRESS)


def test_a_desktop_without_a_browser(no_desktop, monkeypatch):
    def none():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "get", none)
    assert not open_browser(ADDRESS)
