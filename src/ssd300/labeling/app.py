"""The application of the page: its files, its API, and the gate of `serve` around both."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request, Response

from ssd300.errors import RunError, SSDError
from ssd300.labeling.label_api import label_routes
from ssd300.labeling.picture_api import picture_routes
from ssd300.labeling.project import Project
from ssd300.labeling.proposal_api import proposal_routes
from ssd300.labeling.review_api import review_routes
from ssd300.labeling.training_api import training_routes
from ssd300.serve.counters import Counters
from ssd300.serve.files import PageFile, add_pages, page_files
from ssd300.serve.gate import Gate
from ssd300.serve.hosts import HostCheck
from ssd300.serve.problems import ProblemError, answer_problems
from ssd300.serve.settings import ServeSettings
from ssd300.serve.token_check import token_check

# Of the page of `serve`, used here too.
SHARED = ("api.js", "elements.js", "icon.svg", "notices.js", "page.css")
UNPROCESSABLE, FAILED = 422, 500


def make_label_app(project: Project, settings: ServeSettings) -> FastAPI:
    """The application for one project."""
    app = FastAPI(
        title="ssd300 label",
        version=version("ssd300"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(HostCheck, allowed=settings.allow_hosts)
    app.add_middleware(Gate, counters=Counters(), logs_reads=False)
    answer_problems(app)

    @app.exception_handler(SSDError)
    async def refused(_request: Request, error: SSDError) -> Response:
        status = FAILED if isinstance(error, RunError) else UNPROCESSABLE
        where = f"{error.where}: " if error.where else ""
        return ProblemError(status, f"{where}{error.what}", fix=error.fix).response()

    guards = [] if settings.token is None else [Depends(token_check(settings.token))]
    add_pages(app, _files(), {"/": "index.html"})
    for routes in (label_routes, picture_routes, proposal_routes, review_routes, training_routes):
        app.include_router(routes(project), dependencies=guards)

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": HTTPStatus.OK.phrase}

    return app


def _files() -> Mapping[str, PageFile]:
    shared = {name: file for name, file in page_files([("ssd300.serve", "page")]).items() if name in SHARED}
    return {**shared, **page_files([("ssd300.labeling", "page")])}
