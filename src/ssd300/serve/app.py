"""The application: the API and its description, the page, the health checks and the metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI, Response
from starlette.middleware.cors import CORSMiddleware

from ssd300.detection.detector import Detector
from ssd300.serve import schemas
from ssd300.serve.api import add_api
from ssd300.serve.counters import Counters
from ssd300.serve.files import add_pages, page_files
from ssd300.serve.gate import REQUEST_ID, Gate
from ssd300.serve.hosts import HostCheck
from ssd300.serve.prefix import Prefix
from ssd300.serve.problems import ProblemError, answer_problems, documented
from ssd300.serve.served_model import ServedModel
from ssd300.serve.service import Service
from ssd300.serve.settings import ServeSettings
from ssd300.serve.token_check import token_check


def make_app(detector: Detector, settings: ServeSettings, *, model: ServedModel | None = None) -> FastAPI:
    """The application for one detector. Its threads start here, and end with the application's lifespan.

    `model` are the files of the detector, which /v1/model names.
    """
    service = Service(detector, batch_size=settings.batch_size, queue=settings.queue, max_pixels=settings.max_pixels)
    counters = Counters()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.warm_up)
        app.state.ready = True
        yield
        app.state.ready = False
        await asyncio.to_thread(service.close)

    app = FastAPI(
        title="ssd300",
        summary=f"Detects {', '.join(detector.card.classes)}.",
        version=version("ssd300"),
        lifespan=lifespan,
        responses=documented([421, 431]),
        docs_url=None,  # FastAPI's own page loads its scripts from the web
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service, app.state.ready = service, False
    app.add_middleware(HostCheck, allowed=settings.allow_hosts)  # within the gate, which logs what it refuses
    app.add_middleware(Gate, counters=counters, cors_origins=settings.cors_origins)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type"),
            expose_headers=(REQUEST_ID, "Retry-After"),
        )
    app.add_middleware(Prefix, root_path=settings.root_path)
    answer_problems(app)
    add_pages(app, page_files(), {"/": "index.html", "/docs": "docs.html"})
    guards = [] if settings.token is None else [Depends(token_check(settings.token))]
    add_api(app, service, settings, counters, guards, model)
    _add_health(app, service, counters, guards)
    return app


def _add_health(app: FastAPI, service: Service, counters: Counters, guards: list[Any]) -> None:
    @app.get("/healthz", tags=["Operation"], summary="Alive")
    async def alive() -> schemas.Status:
        """Whether the process responds."""
        return schemas.Status(status="ok")

    @app.get("/readyz", tags=["Operation"], summary="Ready", responses=documented([503]))
    async def ready() -> schemas.Status:
        """Whether an image would be accepted now."""
        if not app.state.ready:
            raise ProblemError(503, "The server is starting or stopping.", headers={"Retry-After": "1"})
        with service.batcher.places(1):
            return schemas.Status(status="ready")

    @app.get(
        "/metrics",
        tags=["Operation"],
        summary="Metrics for Prometheus",
        dependencies=guards,
        response_class=Response,
        responses=documented(
            [401] if guards else [],
            answer={"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The metrics."},
        ),
    )
    async def metrics() -> Response:
        """Counts and times in Prometheus's text format."""
        return Response(counters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
