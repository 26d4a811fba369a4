"""Addresses that a user typed, and what is at them."""

from ssd300.errors import DownloadError

SCHEMES = ("http://", "https://")
MOST_BYTES = 200_000_000  # that are read into memory
TIMEOUT_S = 30.0  # without a single byte


def is_address(name: str) -> bool:
    """Whether it is of the web, rather than a path."""
    return name.startswith(SCHEMES)


def read_web(address: str, *, most_bytes: int = MOST_BYTES) -> bytes:
    """What is at an address.

    Raises:
        DownloadError: nothing comes, or more than `most_bytes`.
    """
    import http.client  # here, as these take a while to import
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(most_bytes + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"the server answers {error.code}", where=address, fix="Check the address.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"nothing came ({error})", where=address, fix="Check the address.") from error
    if len(content) > most_bytes:
        raise DownloadError(f"more than {most_bytes:,} bytes came", where=address, fix="Fetch it yourself.")
    return content
