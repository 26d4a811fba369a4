import pytest

from ssd300.system.quantities import in_bits_per_second, in_bytes, in_short, in_time, parse_bytes, parse_rate


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("160kB", 160_000),
        ("64 GB", 64e9),
        ("8GiB", 8 * 2**30),
        ("1.5e3MB", 1.5e9),
        ("7B", 7),
        ("21KB", 21_000),
        (" 2TB ", 2e12),
    ],
)
def test_sizes(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize(("text", "rate"), [("10Gbit/s", 10e9), ("1.2 GB/s", 9.6e9), ("300Mbit/s", 300e6)])
def test_rates(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "64", "GB", "64 gb", "64kb", "1.2.3GB", "64GB/s", "nanGB", "1e999GB", "٦GB"])
def test_a_size_without_its_unit_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a size with its unit, such as 160kB or 64GB"):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["10", "10G", "10Gb", "10GB", "fast"])
def test_a_rate_without_its_unit_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a rate with its unit, such as 10Gbit/s"):
        parse_rate(text)


def test_in_words():
    assert [in_bytes(one) for one in (0.0, 41.23, 999.0, 163e12, 2e18)] == [
        "0 B",
        "41.2 B",
        "999 B",
        "163 TB",
        "2,000 PB",
    ]
    assert in_bits_per_second(1.854e9) == "1.85 Gbit/s"
    times = [6.1e-6, 0.03, 18.0, 2100.0, 85_320.0, 864_000.0]
    assert [in_time(one) for one in times] == ["6.1 µs", "30 ms", "18 s", "35 min", "23.7 hours", "10 days"]
    assert [in_short(one) for one in (0.0, 0.6, 85.26, 3907.0, 1.2e6, 1e9)] == [
        "0", "0.6", "85.3", "3,907", "1.2 million", "1 billion",
    ]  # fmt: skip
