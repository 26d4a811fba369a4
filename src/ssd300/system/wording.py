"""Words for people: counts with their nouns."""


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """The count and its noun: '1 image', '2,000 images'. `nouns` is a plural that does not just end in s."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
