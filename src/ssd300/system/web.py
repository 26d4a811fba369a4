"""Web addresses that a user typed, and their content."""

from ssd300.errors import DownloadError

SCHEMES = ("http://", "https://")
MAX_BYTES = 200_000_000  # that are read into memory
TIMEOUT_S = 30.0  # without a single byte
REACHED_S = 10.0  # until a server answers at all


def is_address(name: str) -> bool:
    """Whether `name` is an http or https address and not a path."""
    return name.startswith(SCHEMES)


def reason_of(error: Exception) -> str:
    """Why nothing was received, in words: without the names and numbers that Python adds."""
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason) or type(error).__name__


def read_web(address: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of an address.

    Raises:
        DownloadError: the server does not send it, or it has more than `max_bytes`.
    """
    import http.client  # here, as these take a while to import
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(max_bytes + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(
            f"the server returned status {error.code}", where=address, fix="Check the address."
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(
            f"nothing was received ({reason_of(error)})", where=address, fix="Check the address."
        ) from error
    if len(content) > max_bytes:
        raise DownloadError(
            f"the file has more than {max_bytes:,} bytes", where=address, fix="Download it, and name the file."
        )
    return content


def check_reachable(address: str) -> None:
    """Raises DownloadError if no server answers at the address. Any answer will do, also that it has nothing there."""
    import http.client
    import urllib.error
    import urllib.request

    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=REACHED_S):
            pass
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(
            f"no server answered ({reason_of(error)})", where=address, fix="Check the connection."
        ) from error
