"""Words for people: counts with their nouns, and some of many names."""

import re
from collections.abc import Sequence

SHOWN_NAMES, NAME_LENGTH = 6, 40
FORMS = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """The count and its noun: '1 image', '2,000 images'. `nouns` is a plural that does not just end in s."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def some(names: Sequence[str]) -> str:
    """The first names and how many more there are: 'cat, dog and 18 more'."""
    more = len(names) - SHOWN_NAMES
    first = (name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…" for name in names[:SHOWN_NAMES])
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


def counted(count: int, text: str) -> str:
    """The count and a text that agrees with it: each {one|several} in it becomes one of the two.

    `counted(2, "{image is|images are} missing")` is '2 images are missing'.
    """
    return f"{count:,} {re.sub(FORMS, lambda forms: forms[1 if count == 1 else 2], text)}"
