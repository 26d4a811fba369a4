"""The middleware around all requests: checks, headers that keep browsers safe, metrics, and a log line.

A log line has the client, the request, the status and the time that it took, but neither images nor their names.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ssd300.serve.counters import Counters
from ssd300.serve.log_lines import FIELDS, json_line
from ssd300.serve.problems import ProblemError

UNLOGGED = ("/healthz", "/readyz", "/metrics")  # monitoring asks for them every few seconds
API = "/v1/"
LONGEST_HEAD = 32_768  # bytes
LONGEST_PATH = 200
MAPPED = "::ffff:"  # how an IPv6 socket writes an IPv4 address
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
REQUEST_ID = "X-Request-ID"

log = logging.getLogger("ssd300.access")


class Gate:
    """ASGI middleware. What an endpoint puts into `request.state.log_fields` is part of the log line."""

    def __init__(
        self, app: ASGIApp, *, counters: Counters, cors_origins: Collection[str] = (), logs_reads: bool = True
    ) -> None:
        """Without `logs_reads`, a GET that went well has no log line: a page that asks all the time makes many."""
        self._app, self._counters, self._cors_origins = app, counters, cors_origins
        self._logs_reads = logs_reads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # answered as GET; the HTTP server drops the body
            scope = {**scope, "method": "GET"}
        started = time.monotonic()
        request_id = uuid.uuid4().hex
        log_fields: dict[str, int] = {}
        scope.setdefault("state", {})["log_fields"] = log_fields
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in {**SAFE_HEADERS, REQUEST_ID: request_id}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if _head_bytes(scope) > LONGEST_HEAD:
                await _long_head().response()(scope, receive, send_with_headers)
            elif method == "POST" and not self._may_post(Headers(scope=scope)):
                await _foreign().response()(scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        except asyncio.CancelledError:  # the server got a second signal to end
            if status:
                raise
            await _ending().response()(scope, receive, send_with_headers)
        except Exception:  # whatever an endpoint raises: the client gets a sentence, the log the trace
            log.exception("request %s failed", request_id)
            if status:  # the response has begun: only the connection can be ended
                raise
            await _our_fault(request_id).response()(scope, receive, send_with_headers)
        finally:
            self._record(scope, method, request_id, status, time.monotonic() - started, log_fields)

    def _may_post(self, headers: Headers) -> bool:
        """Not for pages of other servers, which browsers report, unless they are allowed; other clients may post."""
        ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return ours or not {"*", headers.get("origin")}.isdisjoint(self._cors_origins)

    def _record(
        self, scope: Scope, method: str, request_id: str, status: int, seconds: float, log_fields: dict[str, int]
    ) -> None:
        """Count the request, and log it."""
        route = getattr(scope.get("route"), "path", "other")  # not the path of the request: unknown ones are unlimited
        self._counters.requests.labels(route, status).inc()
        self._counters.request_seconds.labels(route).observe(seconds)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in UNLOGGED:
            return
        # What a browser fetches to show a page is no work of the detector, and would push the address off the screen.
        is_work = path.startswith(API) and (self._logs_reads or method != "GET")
        level = logging.INFO if is_work or status >= HTTPStatus.BAD_REQUEST else logging.DEBUG
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request_id,
            "client": scope["client"][0].removeprefix(MAPPED) if scope.get("client") else None,
            "method": method,
            "path": path[:LONGEST_PATH],
            "status": status,
            "ms": round(1e3 * seconds, 1),
            **log_fields,
        }
        log.log(level, json_line(line), extra={FIELDS: line})


def _head_bytes(scope: Scope) -> int:
    return len(scope["query_string"]) + sum(len(name) + len(value) for name, value in scope["headers"])


def _long_head() -> ProblemError:
    return ProblemError(431, f"The request's head is larger than {LONGEST_HEAD:,} bytes.", fix="Send fewer headers.")


def _foreign() -> ProblemError:
    return ProblemError(
        403,
        "The request comes from a page of another server.",
        fix="Start the server with --cors-origin for that server.",
    )


def _ending() -> ProblemError:
    return ProblemError(503, "The server is stopping.", headers={"Retry-After": "1"})


def _our_fault(request_id: str) -> ProblemError:
    return ProblemError(
        500,
        "Something failed in the server, not in your request.",
        fix=f"The server's log has the cause, under {request_id}.",
    )
