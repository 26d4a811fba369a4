"""The files that the server sends unchanged, its page and Swagger UI. No path of a request is ever opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FOLDERS = (("ssd300.serve", "page"), ("fastapi_swagger", "resources"))


@dataclass(frozen=True, kw_only=True)
class PageFile:
    content: bytes
    media_type: str


def page_files() -> Mapping[str, PageFile]:
    """The files of `FOLDERS` with an ending of `MEDIA_TYPES`, by name."""
    return {
        file.name: PageFile(content=file.read_bytes(), media_type=MEDIA_TYPES[ending])
        for package, folder in FOLDERS
        for file in (files(package) / folder).iterdir()
        if (ending := file.name.rpartition(".")[2]) in MEDIA_TYPES
    }
