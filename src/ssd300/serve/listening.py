"""The address of a server: taken before the weights are loaded, and listened on afterwards. Needs no extra."""

import errno
import http.client
import json
import os
import socket
from collections.abc import Callable

from ssd300.errors import UsageError

LARGEST_PORT = 65_535
TRIED_PORTS = 100  # above the one that is taken
ASKED_FOR_S = 1.0
LARGEST_ANSWER = 1_000_000
ADDRESSES_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # and how this machine reaches itself


def bind(host: str, port: int, *, command: Callable[[int], str]) -> socket.socket:
    """A socket for this address, which nobody can connect to yet. With `port` 0 a free one is chosen.

    `command` gives the command line with another port, for the error.

    Raises:
        UsageError: the port is taken or not allowed, or the host is not an address of this machine.
    """
    if not 0 <= port <= LARGEST_PORT:
        raise UsageError(f"--port is {port}", fix=f"Name one in 0..{LARGEST_PORT}; 0 takes a free one.")
    listener = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # on Windows it would share a taken port
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _explained(error, host, port, command) from error
    return listener


def listen(listener: socket.socket) -> None:
    """Let clients connect; their requests wait until the server answers. Raises UsageError if it is too late for it."""
    try:
        listener.listen()
    except OSError as error:
        port = listener.getsockname()[1]
        raise UsageError(f"another program has taken port {port} meanwhile", fix="Start the server again.") from error


def address_of(listener: socket.socket) -> str:
    """The address as this machine reaches it, such as http://127.0.0.1:8300."""
    host, port = listener.getsockname()[:2]
    return _address(host, port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _address(host: str, port: int) -> str:
    host = ADDRESSES_OF_ALL.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explained(error: OSError, host: str, port: int, command: Callable[[int], str]) -> UsageError:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        other = _is_ours(ADDRESSES_OF_ALL.get(host, host), port)
        what = f"port {port} is taken by another {'ssd300 server' if other else 'program'}"
        fix = f"Use a free port: `{command(_free_port(host, port))}`."
        if other:
            fix += f" Or use the server that runs: {_address(host, port)}/"
        return UsageError(what, where=where, fix=fix)
    if error.errno == errno.EACCES:
        fix = f"Use one of 1024 and above: `{command(_free_port(host, 8300))}`."
        return UsageError(f"this user may not listen on port {port}", where=where, fix=fix)
    return UsageError(
        f"this address cannot be listened on ({error.strerror})",
        where=where,
        fix="Name another --host: 127.0.0.1 is for this machine alone, 0.0.0.0 for all who can reach it.",
    )


def _free_port(host: str, port: int) -> int:
    """A port above this one that is free now; 0, which takes any, if there is none nearby."""
    for other in range(port + 1, min(port + TRIED_PORTS, LARGEST_PORT) + 1):
        try:
            socket.create_server((host, other), family=_family(host)).close()
        except OSError:
            continue
        return other
    return 0


def _is_ours(host: str, port: int) -> bool:
    """Whether a server of this kind answers there."""
    connection = http.client.HTTPConnection(host, port, timeout=ASKED_FOR_S)
    try:
        connection.request("GET", "/openapi.json")
        return bool(json.loads(connection.getresponse().read(LARGEST_ANSWER))["info"]["title"] == "ssd300")
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return False
    finally:
        connection.close()
