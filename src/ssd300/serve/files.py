"""What the server hands out as it is: the page, and Swagger UI. Read once; nothing else can be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
SOURCES = {
    "ssd300.serve": ("page", ("index.html", "docs.html", "page.css", "icon.svg", "page.js", "api.js", "view.js",
                              "camera.js", "docs.js")),
    "fastapi_swagger": ("resources", ("swagger-ui-bundle.js", "swagger-ui.css")),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PageFile:
    content: bytes
    media_type: str


def page_files() -> Mapping[str, PageFile]:
    """Every file by its name, from the packages that hold them."""
    return {
        name: PageFile(
            content=(files(package) / folder / name).read_bytes(), media_type=MEDIA_TYPES[name.rpartition(".")[2]]
        )
        for package, (folder, names) in SOURCES.items()
        for name in names
    }
