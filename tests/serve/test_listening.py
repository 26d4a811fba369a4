import socket
import sys

import pytest

from serving import running
from ssd300.cli import main
from ssd300.errors import UsageError
from ssd300.serve.listening import LARGEST_PORT, address_of, bind, listen, reach


def command(port: int) -> str:
    return f"serve --port {port}"


def test_an_address_is_taken_before_anybody_can_connect():
    with bind("127.0.0.1", 0, command=command) as listener:
        place = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place)
        listen(listener)
        socket.create_connection(place).close()
        assert address_of(listener) == f"http://127.0.0.1:{place[1]}"


def test_for_all_addresses_the_one_of_this_machine_is_told():
    with bind("0.0.0.0", 0, command=command) as listener:
        assert address_of(listener).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_all_of_ipv6_takes_ipv4_as_well_and_says_so():
    with bind("::", 0, command=command) as listener:
        listen(listener)
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port)).close()
        assert address_of(listener) == f"http://127.0.0.1:{port}"
        assert reach(listener) == "all IPv6 and IPv4 addresses of this machine"


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_all_of_ipv6_alone_is_told_where_the_system_has_no_both(monkeypatch):
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with bind("::", 0, command=command) as listener:
        assert address_of(listener).startswith("http://[::1]:")
        assert reach(listener) == "all IPv6 addresses of this machine, not IPv4"


def test_who_can_reach_an_address_is_told():
    for host in ("127.0.0.1", "localhost", "127.0.0.2"):
        with bind(host, 0, command=command) as listener:
            assert reach(listener) is None, host
    with bind("0.0.0.0", 0, command=command) as listener:
        assert "all IPv4 addresses" in str(reach(listener))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_a_port_that_is_taken_for_ipv4_is_taken_for_all():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken"):
            bind("::", port, command=command)


def test_a_taken_port_is_answered_with_a_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken by another program") as caught:
            bind("127.0.0.1", port, command=command)
    free = int(str(caught.value.fix).partition("--port ")[2].partition("`")[0])
    assert free == 0 or port < free <= LARGEST_PORT
    bind("127.0.0.1", free, command=command).close()


def test_another_server_of_ours_is_recognized(server):
    host, port = server.host_port
    with pytest.raises(UsageError, match=f"Or use the server that runs: {server.address}/"):
        bind(host, port, command=command)


def test_a_port_that_is_taken_while_the_weights_are_loaded():
    with bind("127.0.0.1", 0, command=command) as first:
        other = socket.socket()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with other:
            other.bind(first.getsockname())
            other.listen()
            with pytest.raises(UsageError, match="meanwhile"):
                listen(first)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", -1, "--port is -1"),
        ("127.0.0.1", LARGEST_PORT + 1, f"0..{LARGEST_PORT}"),
        ("256.1.1.1", 0, "cannot be listened on"),
        ("no-such-host.invalid", 0, "cannot be listened on"),
        ("a" * 70, 0, "cannot be listened on"),
        ("192.0.2.7", 0, "cannot be listened on.*Name another --host"),
    ],
)
def test_what_is_wrong_with_an_address(host, port, message):
    with pytest.raises(UsageError, match=message):
        bind(host, port, command=command)


def test_a_taken_port_is_told_before_the_weights_are_loaded(light_run, capsys, monkeypatch):
    monkeypatch.setattr("ssd300.serve.running.load", lambda _: pytest.fail("the weights were loaded"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--weights", str(light_run), "--port", str(port), "--queue", "9"]) == 2
    error = capsys.readouterr().err
    assert f"error: port {port} is taken by another program\n" in error
    assert f"`ssd300 serve --weights {light_run} --queue 9 --port " in error


def test_all_mistakes_of_a_command_are_told_at_once(capsys, monkeypatch):
    """The missing extra too, which the other checks do without."""
    monkeypatch.setitem(sys.modules, "ssd300.serve.running", None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["serve", "--weights", "nothing", "--port", str(port), "--workers", "0", "--queue", "0", "--opne"]
        assert main(words) == 2
    error = capsys.readouterr().err
    for message in ("package that is missing", "there is no such weights file", f"port {port} is taken",
                    "--workers is 0", "--queue is 0", "--opne"):  # fmt: skip
        assert message in error
    assert "pip install" in error


def test_the_start_tells_the_addresses_and_how_to_stop(server):
    greeting = "".join(server.log_lines[:4])
    assert greeting == (
        "ssd300_efficientnet_lite0, 2 classes: blue, red\n"
        f"page {server.address}/\n"
        f"API  {server.address}/v1/detect, described at {server.address}/docs\n"
        "Ctrl-C stops the server\n"
    )


@pytest.mark.slow
def test_a_server_without_a_desktop_goes_on(unsure_run, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    with running(unsure_run, "--open") as server:
        assert any(line.startswith("--open: there is no desktop") for line in server.log_lines)
        assert server.get("/healthz")[0] == 200
