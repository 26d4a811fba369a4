"""Amounts with their units, read and written: bytes, rates of a network, and large counts. 1 kB is 1,000 bytes."""

import math
import re

PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
BITS = 8  # of a byte
HOUR = 3600  # seconds
AMOUNT = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z/]*)\s*")
BYTES = (
    {f"{prefix}B": factor for prefix, factor in PREFIXES.items()}
    | {"KB": PREFIXES["k"]}
    | {f"{prefix}iB": 1024.0**power for power, prefix in enumerate(("K", "M", "G", "T"), start=1)}
)
RATES = {
    **{f"{prefix}bit/s": factor for prefix, factor in PREFIXES.items()},
    **{f"{prefix}B/s": BITS * factor for prefix, factor in PREFIXES.items()},
}


def parse_bytes(text: str) -> float:
    """Bytes of a text such as '160kB', '64 GB' or '8GiB'. Raises ValueError that says what is expected."""
    return _parsed(text, BYTES, "a size with its unit, such as 160kB or 64GB")


def parse_rate(text: str) -> float:
    """Bits per second of a text such as '10Gbit/s' or '1.2GB/s'. Raises ValueError that says what is expected."""
    return _parsed(text, RATES, "a rate with its unit, such as 10Gbit/s or 1.2GB/s")


def _parsed(text: str, units: dict[str, float], expected: str) -> float:
    found = AMOUNT.fullmatch(text)
    try:
        value = float(found[1]) * units[found[2]] if found else math.nan
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is not {expected}")
    return value


def in_bytes(count: float | int) -> str:
    """Bytes in the unit that suits: '16.4 MB', '163 TB'."""
    return f"{_scaled(count)}B"


def in_bits_per_second(rate: float) -> str:
    """A rate in the unit that suits: '1.85 Gbit/s'."""
    return f"{_scaled(rate)}bit/s"


def in_time(seconds: float) -> str:
    """A duration in the unit that suits: '6.2 µs', '30 ms', '18 s', '35 min', '23.7 hours', '10 days'."""
    for unit, name, most in ((1e-6, "µs", 1000), (1e-3, "ms", 1000), (1, "s", 100), (60, "min", 100)):
        if seconds < most * unit:
            return f"{_digits(seconds / unit)} {name}"
    return f"{_digits(seconds / HOUR)} hours" if seconds < 100 * HOUR else f"{_digits(seconds / 86_400)} days"


def in_short(count: float | int) -> str:
    """A count in three digits, or whole below a million: '0.6', '85.3', '3,907', '1.2 million'."""
    for factor, name in ((1e9, " billion"), (1e6, " million")):
        if count >= factor:
            return f"{_digits(count / factor)}{name}"
    return _digits(count)


def _scaled(value: float | int) -> str:
    """The value in three digits, a space and a prefix."""
    prefix = next((name for name, factor in reversed(PREFIXES.items()) if value >= factor), "")
    return f"{_digits(value / PREFIXES[prefix])} {prefix}"


def _digits(value: float | int) -> str:
    """Three digits, more where a whole number has them."""
    if value == 0:
        return "0"
    places = max(2 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
