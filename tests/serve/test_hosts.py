"""A website that points its name at this machine gets no answer; all who mean this server do."""

import socket

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from ssd300.serve.hosts import HostCheck

OWN = socket.gethostname()
SHORT = OWN.partition(".")[0]


SAFE = ("localhost:8300", "LOCALHOST", "x.localhost", "127.0.0.1:8300", "127.0.0.1", "[::1]:8300", "[::1]")
SAFE += ("10.1.2.3:80", "a", "detector:8300", OWN, f"{SHORT.upper()}.local:8300", "")
FOREIGN = ("evil.example", "evil.example:8300", "127.0.0.1.nip.io", "localhost.evil.example", "com.", "1.2.3.4.5")
FOREIGN += ("évil", "evil.example:80:80", "local.evil", f"{SHORT}.evil.example")


def asked(host: str, *allowed: str):
    return TestClient(HostCheck(PlainTextResponse("a"), allowed=allowed)).get("/", headers={"Host": host.encode()})


@pytest.mark.parametrize("host", SAFE)
def test_names_that_no_website_can_have(host):
    assert asked(host).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused_with_the_way_on(host):
    answer = asked(host)
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["fix"]


def test_allowed_names():
    for host, status in {
        "detector.example.org:443": 200,
        "a.b.example.com": 200,
        "example.com": 421,
        "example.org": 421,
        "evilexample.com": 421,
    }.items():
        assert asked(host, "Detector.example.org", "*.example.com").status_code == status, host
    assert asked("evil.example", "*").status_code == 200


def test_the_machines_full_name_is_known(monkeypatch):
    full = f"{SHORT}.office.example"
    monkeypatch.setattr("ssd300.serve.hosts._full_name", lambda: full)
    assert asked(full).status_code == 200
