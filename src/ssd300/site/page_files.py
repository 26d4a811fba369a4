"""The files of the page: those of the server's page, and of this folder where there is no server.

In `index.html`, what only a server's page has stands between the lines `<!--server-->` and `<!--/server-->`, and what
only a page without a server has in a comment from `<!--site` to `site-->`.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

OF_SERVER = ("docs.html", "docs.js", "token.js")
SERVER_ONLY = re.compile(r"^<!--server-->\n.*?^<!--/server-->\n", re.MULTILINE | re.DOTALL)
SITE_ONLY = re.compile(r"^<!--site\n(.*?)^site-->\n", re.MULTILINE | re.DOTALL)
PAGE, LICENSES = "index.html", "licenses.txt"
SERVICE_WORKER = "service_worker.js"
AT_ROOT = (PAGE, LICENSES, SERVICE_WORKER)  # a service worker has power over its own folder only


def page_files() -> Mapping[str, bytes]:
    """Each file by its path in the site."""
    found: dict[str, bytes] = {}
    for package in ("ssd300.serve", "ssd300.site"):  # of two files of one name, the second one's
        for file in (files(package) / "page").iterdir():
            if file.name not in OF_SERVER:
                path = file.name if file.name in AT_ROOT else f"static/{file.name}"
                found[path] = file.read_bytes()
    found[PAGE] = without_server(found[PAGE].decode()).encode()
    return found


def without_server(page: str) -> str:
    """The text of `index.html` for a page without a server."""
    made = SITE_ONLY.sub(r"\1", SERVER_ONLY.sub("", page))
    assert "<!--" not in made, "a mark in index.html has no other one that fits"
    return made
