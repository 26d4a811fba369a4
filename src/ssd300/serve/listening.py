"""The address of a server: taken before the weights are loaded, and listened on afterwards. Needs no extra.

The address "::" takes IPv4 as well where the system can do that; a name is taken for its IPv4 address if it has one.
"""

import errno
import http.client
import ipaddress
import json
import os
import socket
from collections.abc import Callable

from ssd300.errors import UsageError

LARGEST_PORT = 65_535
TITLES = ("ssd300", "ssd300 label")  # of the servers of this package
TRIED_PORTS = 100  # above the one that is taken
ASKED_FOR_S = 1.0
LARGEST_ANSWER = 1_000_000
ALL_IPV4, ALL_IPV6 = "0.0.0.0", "::"
ADDRESSES_OF_ALL = {ALL_IPV4: "127.0.0.1", ALL_IPV6: "::1", "": "127.0.0.1"}  # and how this machine reaches itself


def bind(host: str, port: int, *, command: Callable[[int], str]) -> socket.socket:
    """A socket for this address, which nobody can connect to yet. With `port` 0 a free one is chosen.

    `command` gives the command line with another port, for the error.

    Raises:
        UsageError: the port is taken or not allowed, or the host is not an address of this machine.
    """
    if not 0 <= port <= LARGEST_PORT:
        raise UsageError(f"--port is {port}", fix=f"Name one in 0..{LARGEST_PORT}; 0 takes a free one.")
    try:
        return _bound(host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError for a name that no host can have
        raise _explained(error, host, port, command) from error


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
    if host == ALL_IPV6 and takes_ipv4(listener):
        host = ALL_IPV4
    return _address(host, port)


def takes_ipv4(listener: socket.socket) -> bool:
    """Whether clients can connect with IPv4."""
    if listener.family == socket.AF_INET:
        return True
    return listener.getsockname()[0] == ALL_IPV6 and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def reach(listener: socket.socket) -> str | None:
    """Who can reach the address, in words: None for this machine alone, else by which protocols."""
    host: str = listener.getsockname()[0]
    if ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        return None
    if host == ALL_IPV4:
        return "all IPv4 addresses of this machine; --host :: takes IPv6 as well"
    if host == ALL_IPV6:
        both = takes_ipv4(listener)
        return "all IPv6 and IPv4 addresses of this machine" if both else "all IPv6 addresses of this machine, not IPv4"
    return host


def _bound(host: str, port: int) -> socket.socket:
    """A socket that holds the address. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, place = min(found, key=lambda one: one[0] != socket.AF_INET)  # the first of IPv4, or else the first
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # on Windows it would share a taken port
        if family == socket.AF_INET6:
            only = place[0] != ALL_IPV6 or not socket.has_dualstack_ipv6()
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        listener.bind(place)
    except BaseException:
        listener.close()
        raise
    return listener


def _address(host: str, port: int) -> str:
    host = ADDRESSES_OF_ALL.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explained(error: OSError | UnicodeError, host: str, port: int, command: Callable[[int], str]) -> UsageError:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number, reason = (error.errno, error.strerror) if isinstance(error, OSError) else (None, str(error))
    if number == errno.EADDRINUSE:
        other = _is_ours(ADDRESSES_OF_ALL.get(host, host), port)
        what = f"port {port} is taken by another {'ssd300 server' if other else 'program'}"
        fix = f"Use a free port: `{command(_free_port(host, port))}`."
        if other:
            fix += f" Or use the server that runs: {_address(host, port)}/"
        return UsageError(what, where=where, fix=fix)
    if number == errno.EACCES:
        fix = f"Use one of 1024 and above: `{command(_free_port(host, 8300))}`."
        return UsageError(f"this user may not listen on port {port}", where=where, fix=fix)
    return UsageError(
        f"this address cannot be listened on ({reason})",
        where=where,
        fix="Name another --host: 127.0.0.1 is for this machine alone, 0.0.0.0 for all who can reach it.",
    )


def _free_port(host: str, port: int) -> int:
    """A port above this one that is free now; 0, which takes any, if there is none nearby."""
    for other in range(port + 1, min(port + TRIED_PORTS, LARGEST_PORT) + 1):
        try:
            with _bound(host, other) as free:
                free.listen()  # two that are only bound may share a port
        except OSError:
            continue
        return other
    return 0


def _is_ours(host: str, port: int) -> bool:
    """Whether a server of this kind answers there."""
    connection = http.client.HTTPConnection(host, port, timeout=ASKED_FOR_S)
    try:
        connection.request("GET", "/openapi.json")
        return bool(json.loads(connection.getresponse().read(LARGEST_ANSWER))["info"]["title"] in TITLES)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return False
    finally:
        connection.close()
