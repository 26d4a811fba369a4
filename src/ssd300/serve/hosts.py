"""Which host names requests may use, so that no website can reach the server through a visitor's browser.

By DNS rebinding a website points its own name at this machine: its scripts then have the server for one of their own
site. Their requests carry the website's name in `Host`. Addresses in digits, names without a dot, and names below
domains that are not on the internet cannot belong to a website; all others must be known.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ssd300.serve.problems import ProblemError

ANY = "*"
LONGEST_NAME = 253
# Of networks at home and at work: RFC 6762, RFC 8375, and domains that ICANN reserves or will not delegate.
DOMAINS_INSIDE = ("local", "home.arpa", "internal", "lan", "home", "corp", "localdomain")


class HostCheck:
    """ASGI middleware: 421 for requests that name a foreign host. `allowed` are further names, or `*.` and a domain."""

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app, self._allowed = app, {name.lower().rstrip(".") for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ANY not in self._allowed:
            host = name_in(Headers(scope=scope).get("host", ""))
            if not (self._knows(host) or await _is_full_name(host)):
                await _foreign(host).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        if is_safe(host) or host in self._allowed:
            return True
        labels = host.split(".")
        return any(f"*.{'.'.join(labels[cut:])}" in self._allowed for cut in range(1, len(labels)))


def name_in(host: str) -> str:
    """The name or address in a Host header, in lower case, without the port and the brackets of IPv6."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    name = name if name and (port.isdecimal() or not port) else host
    return name.removesuffix(".") if name.count(".") > 1 else name  # "com." may be a website, and "com" is none


def is_safe(host: str) -> bool:
    """Whether no website can have this name: none at all, an address, a name without a dot, or one of this machine."""
    if not host or ("." not in host and host.isascii()) or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        own = _own_name()
        return host == own or host in {f"{own.partition('.')[0]}.{domain}" for domain in DOMAINS_INSIDE}
    return True


@lru_cache(maxsize=1)
def _own_name() -> str:
    return socket.gethostname().lower()


async def _is_full_name(host: str) -> bool:
    """Whether this is the machine's name with its domain. Asks the system only for a name that may be, and once."""
    if host.partition(".")[0] != _own_name().partition(".")[0]:
        return False
    return host == await asyncio.to_thread(_full_name)


@lru_cache(maxsize=1)
def _full_name() -> str:
    return socket.getfqdn().lower()


def _foreign(host: str) -> ProblemError:
    shown = "".join(letter for letter in host[:LONGEST_NAME] if letter.isprintable())
    return ProblemError(
        421,
        f"The request is for '{shown}', which is not a name of this server.",
        fix=f"If the server is reached by that name, behind a proxy for instance, start it with --allow-host {shown}.",
    )
