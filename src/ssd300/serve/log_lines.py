"""The line of a request in the log: JSON for programs, short text for a person at a terminal."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ssd300.system.wording import plural

FIELDS = "request"  # the attribute of a log record that has the fields of its request


class RequestLine(logging.Formatter):
    """Formats requests; other messages stay as they are. `for_people` None is by whether stderr is a terminal."""

    def __init__(self, *, for_people: bool | None = None) -> None:
        super().__init__("%(message)s")
        self._for_people = sys.stderr.isatty() if for_people is None else for_people

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, FIELDS, None)
        return short_line(fields) if self._for_people and fields else super().format(record)


def json_line(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields)


def short_line(fields: Mapping[str, Any]) -> str:
    """Local time, client, method, path, status, duration, and what was found: '17:45:02 ::1 GET /v1/model 200 3 ms'.

    Characters of the path that a terminal could obey are escaped.
    """
    when = datetime.fromisoformat(fields["time"]).astimezone()
    words = [
        f"{when:%H:%M:%S}",
        fields["client"] or "-",
        fields["method"],
        "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in fields["path"]),
        str(fields["status"]),
        f"{fields['ms']:,.0f} ms",
    ]
    if "detections" in fields:
        words.append(plural(fields["detections"], "object"))
        if fields["images"] > 1:
            words.append(f"in {fields['images']} images")
    return " ".join(words)
