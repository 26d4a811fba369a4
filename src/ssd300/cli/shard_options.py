"""Options of the verbs that write or read shards."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ssd300.cli.help import DATA
from ssd300.cli.mistakes import Mistakes
from ssd300.system.quantities import in_bytes, parse_bytes

if TYPE_CHECKING:
    from ssd300.data.shards.cache import ShardCache

Size = Annotated[str, Parameter(metavar="SIZE")]
LEAST_CACHE = 1


@Parameter(name="*", group=DATA)
@dataclass(frozen=True, kw_only=True)
class ShardOptions:
    """How shards at an address are read.

    Parameters
    ----------
    shard_cache
        For shards at an address: the bytes that copies of them may take on this machine. The oldest are deleted.
    shard_cache_folder
        Where these copies are. Default: the folder for caches of this platform.
    """

    shard_cache: Size = "10GB"
    shard_cache_folder: Annotated[Path | None, Parameter(metavar="FOLDER")] = None

    def cache(self, mistakes: Mistakes) -> "ShardCache":
        """The cache that they describe. What is wrong with them is a mistake."""
        from ssd300.data.shards.cache import ShardCache

        limit = size_of(mistakes, "--shard-cache", self.shard_cache, least=LEAST_CACHE)
        folder = self.shard_cache_folder
        if folder is not None and folder.exists() and not folder.is_dir():
            mistakes.add("--shard-cache-folder is a file", where=folder, fix="Name a folder.")
        return ShardCache(limit_bytes=limit, folder=folder)


def size_of(mistakes: Mistakes, option: str, text: str, *, least: int) -> int:
    """The bytes that an option names; `least` with a mistake, if it is wrong."""
    try:
        count = int(parse_bytes(text))
    except ValueError as error:
        mistakes.add(f"{option}: {error}", fix=f"Such as {option} 256MB.")
        return least
    if count < least:
        mistakes.add(f"{option} is {text}; it must be {in_bytes(least)} or more", fix=f"Such as {option} 256MB.")
    return max(count, least)
