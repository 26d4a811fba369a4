"""Slow clients are disconnected after limits, which are short here; others are served."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from uvicorn import Config

import ssd300.serve.protocol as protocol
from ssd300.serve.server import Server

PIECE = bytes(1_000_000)


async def endless(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(200):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def served(application):
    config = Config(application, http=protocol.PatientProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield server, listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture
def short_limits(monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.5)
    monkeypatch.setattr(protocol, "WRITE_TIMEOUT_S", 0.5)


def gone_within(server, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while server.server_state.connections and time.monotonic() < deadline:
        time.sleep(0.02)
    return not server.server_state.connections


def test_a_client_that_does_not_read_is_disconnected(short_limits):
    with served(endless) as (server, address), socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        assert server.server_state.connections
        assert gone_within(server, 10)


def test_a_client_that_reads_slowly_is_served(short_limits):
    """A pause that is shorter than the limit costs nothing."""
    with served(endless) as (_, address), socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received, pauses = 0, 0
        while part := client.recv(4_000_000):
            if received // 20_000_000 != (received + len(part)) // 20_000_000:
                time.sleep(0.1)
                pauses += 1
            received += len(part)
        assert received > 200 * len(PIECE)
        assert pauses >= 9


@pytest.mark.slow
def test_connections_without_a_request_are_closed(short_limits):
    with served(endless) as (server, address):
        idle = [socket.create_connection(address) for _ in range(200)]
        assert gone_within(server, 10)
        for connection in idle:
            connection.close()


def test_a_body_that_still_arrives_at_the_end_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(protocol, "BODY_AT_END_S", 0.5)
    received = []

    async def reading(scope, receive, send):
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        received.append(message["type"])

    with served(reading) as (server, address), socket.create_connection(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        while not server.server_state.tasks:
            time.sleep(0.01)
        started = time.monotonic()
        server.should_exit = True
        assert gone_within(server, 10)
        assert 0.4 < time.monotonic() - started < 5
    assert received == ["http.disconnect"]


def test_no_packet_waits_until_the_previous_one_is_acknowledged():
    with served(endless) as (server, address), socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        (connection,) = server.server_state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
