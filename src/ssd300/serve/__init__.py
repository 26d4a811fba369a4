"""A web page and an HTTP API for a detector, with FastAPI and uvicorn (the extra `serve`).

`make_app` is imported when it is first used: the command line needs only the settings.
"""

from typing import TYPE_CHECKING, Any

from ssd300.serve.settings import ServeSettings

if TYPE_CHECKING:
    from ssd300.serve.app import make_app

__all__ = ["ServeSettings", "make_app"]


def __getattr__(name: str) -> Any:
    if name == "make_app":
        from ssd300.serve.app import make_app

        return make_app
    raise AttributeError(f"module 'ssd300.serve' has no attribute '{name}'")
