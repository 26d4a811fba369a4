"""Where downloaded weights and copies of shards are kept on this machine."""

import os
from pathlib import Path

from platformdirs import user_cache_path

CACHE_VARIABLE = "SSD300_CACHE"


def cache_folder() -> Path:
    """The folder of what was downloaded: $SSD300_CACHE, or the platform's usual place."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else user_cache_path("ssd300", appauthor=False)
