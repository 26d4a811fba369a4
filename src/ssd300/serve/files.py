"""The files that a server sends unchanged: pages, and Swagger UI. No path of a request is ever opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from ssd300.serve.prefix import with_base

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


def page_files(folders: Iterable[tuple[str, str]] = FOLDERS) -> Mapping[str, PageFile]:
    """The files of folders of packages with an ending of `MEDIA_TYPES`, by name; of one name the last."""
    return {
        file.name: PageFile(content=file.read_bytes(), media_type=MEDIA_TYPES[ending])
        for package, folder in folders
        for file in (files(package) / folder).iterdir()
        if (ending := file.name.rpartition(".")[2]) in MEDIA_TYPES
    }


def add_pages(app: FastAPI, sent: Mapping[str, PageFile], pages: Mapping[str, str]) -> None:
    """Send `pages`, the names of HTML files by address, and all files at /static/NAME."""

    def answer(request: Request, name: str) -> Response:
        if name not in sent:
            raise HTTPException(404)
        file, root_path = sent[name], request.scope.get("root_path", "")
        content = with_base(file.content, root_path) if name.endswith(".html") else file.content
        return Response(content, media_type=file.media_type, headers={"Cache-Control": "no-cache"})

    def add(address: str, name: str) -> None:
        @app.get(address, include_in_schema=False)
        async def page(request: Request) -> Response:
            return answer(request, name)

    for address, name in pages.items():
        add(address, name)

    @app.get("/static/{name}", include_in_schema=False)
    async def static(request: Request, name: str) -> Response:
        return answer(request, name)
