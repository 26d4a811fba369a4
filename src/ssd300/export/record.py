"""Where the record of an export stands: `parity.json`, or a name of its own where that is another export's."""

import json
from pathlib import Path

PARITY = "parity.json"


def record_path(out: Path) -> Path:
    """The record of the file `out`: `parity.json` beside it, unless that is there and is the record of another file.

    Then it is `<file>.parity.json`, such as `cells.xml.parity.json`.
    """
    own = out.with_name(f"{out.name}.{PARITY}")
    usual = out.with_name(PARITY)
    if own.exists():
        return own
    return usual if not usual.exists() or _file_of(usual) == out.name else own


def _file_of(record: Path) -> str | None:
    """The name of the exported file that a record is of; None if it cannot be read."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))["file"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
