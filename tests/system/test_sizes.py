import pytest

from ssd300.system.sizes import bytes_in_words, parse_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [("256MB", 256_000_000), ("1.5 gb", 1_500_000_000), ("64MiB", 67_108_864), ("12", 12), (" .5KB ", 500), ("0", 0)],
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1,5GB", "10 parsecs", "1e3", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="write it as 256MB"):
        parse_bytes(text)


def test_bytes_in_words():
    assert [bytes_in_words(count) for count in (12, 1500, 256_000_000, 1_500_000_000)] == [
        "12 bytes", "1.5 KB", "256 MB", "1.5 GB",
    ]  # fmt: skip
