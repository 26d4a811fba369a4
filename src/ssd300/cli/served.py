"""What the verbs that serve a page share: their options, and what they say of the address."""

import shlex
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from socket import socket
from urllib.parse import urlsplit

from ssd300.errors import UsageError, install_hint
from ssd300.serve.listening import address_of, reach
from ssd300.serve.settings import HOST, ServeSettings

TOKEN = "SSD300_TOKEN"
OPTION_NAMES = {
    "timeout_s": "--timeout",
    "cors_origins": "--cors-origin",
    "allow_hosts": "--allow-host",
}  # of fields of ServeSettings


def check_installed(module: str) -> None:
    """Raises UsageError if a package that this module of a server needs is missing."""
    try:
        import_module(module)
    except ImportError as error:
        raise UsageError(
            f"the server needs a package that is missing ({error.name})", fix=install_hint("serve")
        ) from error


def with_port(words: Sequence[str], port: int) -> str:
    """The command line with another port, to be typed."""
    kept = [word for before, word in pairwise(["", *words]) if before != "--port" and not word.startswith("--port")]
    return shlex.join(["ssd300", *kept, "--port", str(port)])


def name_of(host: str) -> str:
    """What was typed for the address, if it is a name other than localhost; else ""."""
    is_name = HOST.fullmatch(host) and not host.replace(".", "").isdecimal()
    return host if is_name and host.lower() != "localhost" else ""


def who(listener: socket, name: str, settings: ServeSettings) -> list[str]:
    """Who can reach the address, where it is not this machine alone, or its `name` sounds as if it were not."""
    reached = reach(listener)
    if reached is None:
        return [f"{name} is an address of this machine alone; --host 0.0.0.0 is for others too"] if name else []
    lines = [f"listens on {reached}"]
    if reached.startswith("all"):
        here = urlsplit(address_of(listener)).hostname
        lines.append(f"from other machines: the name or address of this one instead of {here}")
    if settings.token is None:
        lines.append(f"anyone who can reach it can use it; {TOKEN} or --token requires a token")
    return lines


def opened(address: str) -> list[str]:
    """Open the page in the browser; lines on why that was not possible."""
    from ssd300.serve.desktop import open_browser

    if open_browser(f"{address}/"):
        return []
    return ["--open: there is no desktop with a browser here; the server keeps running, open the page from elsewhere"]
