"""Addresses behind a proxy that serves the application below a path, whether or not it takes the path off.

The application sees both in the same form: ASGI's `root_path`, and a `path` that begins with it.
"""

from html import escape

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """ASGI middleware for one `root_path`, such as "/detector"; "" leaves the requests to the server's own one."""

    def __init__(self, app: ASGIApp, *, root_path: str) -> None:
        self._app, self._root = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._root and scope["type"] == "http":
            scope = {**scope, "root_path": self._root, "path": self._whole(scope["path"])}
        await self._app(scope, receive, send)

    def _whole(self, path: str) -> str:
        if path == self._root:
            return f"{path}/"
        if path.startswith(f"{self._root}/"):
            return path
        # A proxy that replaces "/detector" by "/" leaves two slashes.
        return f"{self._root}/{path.lstrip('/')}"


def with_base(page: bytes, root_path: str) -> bytes:
    """An HTML page whose relative links begin at `root_path`, from whatever address the browser got it."""
    base = f'<head>\n<base href="{escape(root_path)}/">'.encode()
    return page.replace(b"<head>", base, 1) if root_path else page
