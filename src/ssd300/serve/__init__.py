"""A web page and an HTTP API for a detector, with FastAPI and uvicorn (the extra `serve`)."""

from ssd300.serve.app import make_app
from ssd300.serve.settings import ServeSettings

__all__ = ["ServeSettings", "make_app"]
