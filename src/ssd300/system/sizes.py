"""A number of bytes as people write it: 256MB, 1.5 GB, 64MiB."""

import re

UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4,
         "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3, "TIB": 1024**4}  # fmt: skip
WRITTEN = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]*)\s*")


def parse_bytes(text: str) -> int:
    """The bytes that a text names; without a unit, bytes. Raises ValueError that says how to write it."""
    found = WRITTEN.fullmatch(text)
    if found is None or found[2].upper() not in UNITS:
        raise ValueError(f"{text!r} is no size; write it as 256MB, 10GB or 64MiB")
    return int(float(found[1]) * UNITS[found[2].upper()])


def bytes_in_words(count: int) -> str:
    """Such as '256 MB' or '1.5 GB'."""
    for unit in ("GB", "MB", "KB"):
        if count >= UNITS[unit]:
            return f"{count / UNITS[unit]:.3g} {unit}"
    return f"{count} bytes"
