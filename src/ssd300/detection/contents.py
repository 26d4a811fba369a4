"""Images that are no file of their own: what came on standard input, and the members of archives."""

from collections.abc import Callable
from dataclasses import dataclass

Note = Callable[[str], None]  # takes a line on what is left out


@dataclass(frozen=True, eq=False)
class Content:
    """An image by its `name`, such as 'photos.zip/a/b.jpg', and `read`, which gives its file's content.

    `read` raises DataError. Threads may call it at the same time.
    """

    name: str
    read: Callable[[], bytes]

    def __str__(self) -> str:
        return self.name
