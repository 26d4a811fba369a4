"""A website that points its name at this machine gets no answer; all who mean this server do."""

import socket

import pytest

from serving import client_of

OWN = socket.gethostname()
SHORT = OWN.partition(".")[0]


@pytest.mark.parametrize(
    "host",
    ["localhost:8300", "127.0.0.1:8300", "127.0.0.1", "[::1]:8300", "[::1]", "10.1.2.3:80", "a", "detector:8300", OWN]
    + ["x.localhost", "", "LOCALHOST", f"{SHORT.upper()}.local:8300"],  # noqa: RUF005  # longer than a line
)
def test_names_that_no_website_can_have(host, client):
    assert client.get("/v1/model", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8300", "127.0.0.1.nip.io", "localhost.evil.example", "com.", "1.2.3.4.5", "évil"]
    + ["127.0.0.1.", "evil.example:80:80", "local.evil", f"{SHORT}.evil.example"],  # noqa: RUF005  # as above
)
def test_other_names_are_refused_with_the_way_on(host, client):
    for path in ("/", "/v1/model", "/healthz", "/static/page.js"):
        answer = client.get(path, headers={"Host": host.encode()})
        assert answer.status_code == 421, path
        assert "--allow-host" in answer.json()["fix"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_allowed_names(detector):
    with client_of(detector, allow_hosts=("Detector.example.org", "*.example.com")) as client:
        for host, status in {
            "detector.example.org:443": 200,
            "a.b.example.com": 200,
            "example.com": 421,
            "example.org": 421,
            "evilexample.com": 421,
        }.items():
            assert client.get("/v1/model", headers={"Host": host}).status_code == status, host
    with client_of(detector, allow_hosts=("*",)) as client:
        assert client.get("/v1/model", headers={"Host": "evil.example"}).status_code == 200


def test_the_machines_full_name_is_known(client, monkeypatch):
    full = f"{SHORT}.office.example"
    monkeypatch.setattr("ssd300.serve.hosts._full_name", lambda: full)
    assert client.get("/v1/model", headers={"Host": full}).status_code == 200
