"""Errors as responses: what is wrong and what to do (RFC 9457). No stack trace is sent."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ssd300.errors import DataError, SSDError
from ssd300.images.header import ImageTooLargeError, NoImageError
from ssd300.serve import schemas
from ssd300.serve.batcher import FullError

MEDIA_TYPE = "application/problem+json"
PROBLEMS = {
    400: "The body is empty, or a broken form.",
    401: "The server requires a token.",
    403: "The request comes from a page of another server that is not allowed.",
    406: "The request accepts no format that the server has.",
    408: "The body did not arrive in time.",
    413: "Too many bytes, pixels or images.",
    415: "The body, or a file in it, is not an image.",
    421: "The request is for a host name that is not one of the server's.",
    422: "An image is broken, or an option is out of its range.",
    431: "The head of the request is too large.",
    500: "The server failed.",
    503: "The server is busy; Retry-After is the number of seconds to wait.",
}
FIXES = {  # by the status of an image; the fixes of the errors themselves are for users with local files
    413: "Make the image smaller.",
    415: "Send a JPEG, PNG, WebP, BMP, TIFF or GIF.",
    422: "Save the image again, and send that.",
}


class ProblemError(Exception):
    """An error response: `detail` is what is wrong, `fix` what to do."""

    def __init__(
        self, status: int, detail: str, *, fix: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.fix, self.headers = status, detail, fix, dict(headers or {})

    def response(self) -> JSONResponse:
        content: dict[str, str | int] = {
            "status": self.status,
            "title": HTTPStatus(self.status).phrase,
            "detail": self.detail,
        }
        if self.fix:
            content["fix"] = self.fix
        return JSONResponse(content, status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Answer the errors of endpoints in the format of ProblemError."""

    @app.exception_handler(ProblemError)
    async def problem(_request: Request, error: ProblemError) -> Response:
        return error.response()

    @app.exception_handler(FullError)
    async def full(_request: Request, error: FullError) -> Response:
        return _busy(error).response()

    @app.exception_handler(SSDError)
    async def bad_image(_request: Request, error: SSDError) -> Response:
        return _refused(error).response()

    @app.exception_handler(TimeoutError)
    async def late(_request: Request, _error: TimeoutError) -> Response:
        return ProblemError(
            503, "The response took too long.", fix="Try again, or send fewer images.", headers={"Retry-After": "1"}
        ).response()

    @app.exception_handler(RequestValidationError)
    async def bad_query(_request: Request, error: RequestValidationError) -> Response:
        return bad_option(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def no_such(request: Request, error: HTTPException) -> Response:
        detail = {
            404: "There is nothing at this address.",
            405: f"This address does not take {request.method}.",
        }.get(error.status_code, str(error.detail))
        return ProblemError(error.status_code, detail, fix="See /docs.", headers=error.headers).response()


def documented(statuses: Iterable[int], *, answer: dict[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses` for some of `PROBLEMS`, and for a good `answer`."""
    content = {"schema": schemas.Problem.model_json_schema()}
    described: dict[int | str, dict[str, Any]] = {} if answer is None else {200: answer}
    for status in sorted(statuses):
        described[status] = {"description": PROBLEMS[status], "content": {MEDIA_TYPE: content}}
    return described


def bad_option(errors: Any) -> ProblemError:
    """422 with the first of pydantic's errors as a sentence."""
    first = errors[0]
    name = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), "")
    if first["type"] == "extra_forbidden":
        known = ", ".join(schemas.DetectionOptions.model_fields)
        return ProblemError(422, f"There is no option '{name[:80]}'.", fix=f"The options are {known}.")
    return ProblemError(422, f"{name}: {first['msg']}.", fix="/docs describes the options.")


def _busy(error: FullError) -> ProblemError:
    """503, with the time after which to try again."""
    return ProblemError(
        503,
        "The server is busy with as much as it accepts.",
        fix=f"Try again after {error.retry_after_s} s.",
        headers={"Retry-After": str(error.retry_after_s)},
    )


def _refused(error: SSDError) -> ProblemError:
    """For an image: 413 for too many pixels, 415 for what is not an image, 422 for a broken one.

    Other errors are options that an exported file cannot follow: 422 too, without `where`, the path of that file.
    """
    if not isinstance(error, DataError):
        return ProblemError(422, f"{error.what}.", fix="Ask for less, or omit the option.")
    status = 413 if isinstance(error, ImageTooLargeError) else 415 if isinstance(error, NoImageError) else 422
    where = f"{error.where}: " if error.where else ""
    return ProblemError(status, f"{where}{error.what}", fix=FIXES[status])
