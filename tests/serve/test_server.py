"""The end of a server, with clients that go on asking."""

import http.client
import time
from contextlib import closing

import pytest

from serve.test_protocol import served
from ssd300.serve.protocol import PatientProtocol


async def short(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_a_connection_that_was_missed_as_the_others_were_ended_does_not_hold_the_server(monkeypatch):
    """As one that is accepted in that moment: it does not hear of the end at first, and its client goes on asking."""
    heard, usual = [], PatientProtocol.shutdown

    def deaf_at_first(self):
        heard.append(self)
        if len(heard) > 1:
            usual(self)

    monkeypatch.setattr(PatientProtocol, "shutdown", deaf_at_first)
    with served(short) as (server, address), closing(http.client.HTTPConnection(*address, timeout=10)) as client:
        ask(client)
        client.auto_open = False
        server.should_exit = True
        with pytest.raises((http.client.HTTPException, OSError)):
            go_on_asking(client, for_s=10)
        assert len(heard) > 1


def ask(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/")
    assert client.getresponse().read() == b"ok"


def go_on_asking(client: http.client.HTTPConnection, *, for_s: float) -> None:
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        ask(client)
