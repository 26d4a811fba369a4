"""What every request passes on its way in and out: headers that keep browsers safe, counts, and a line of log.

A line says who asked for what, what came of it and how long it took, and nothing of images or their names.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Collection
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ssd300.serve.counters import Counters
from ssd300.serve.problems import ProblemError

UNLOGGED = ("/healthz", "/readyz", "/metrics")  # asked every few seconds by machines
LONGEST_HEAD = 32_768  # bytes
LONGEST_PATH = 200
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
REQUEST_ID = "X-Request-ID"

log = logging.getLogger("ssd300.access")


class Gate:
    """Middleware. What an endpoint puts under `request.state.said` goes into the line of log."""

    def __init__(self, app: ASGIApp, *, counters: Counters, cors_origins: Collection[str] = ()) -> None:
        self._app, self._counters, self._cors_origins = app, counters, cors_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # answered as GET; the HTTP server leaves the body out
            scope = {**scope, "method": "GET"}
        started = time.monotonic()
        identity = uuid.uuid4().hex
        said: dict[str, int] = {}
        scope.setdefault("state", {})["said"] = said
        status = 0

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in {**SAFE_HEADERS, REQUEST_ID: identity}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if _head_bytes(scope) > LONGEST_HEAD:
                await _long_head().response()(scope, receive, send_safely)
            elif method == "POST" and not self._is_let_in(Headers(scope=scope)):
                await _foreign().response()(scope, receive, send_safely)
            else:
                await self._app(scope, receive, send_safely)
        except asyncio.CancelledError:  # the server was told twice to end
            if status:
                raise
            await _ending().response()(scope, receive, send_safely)
        except Exception:  # whatever an endpoint raises: a sentence goes out, the trace stays in the log
            log.exception("request %s failed", identity)
            if status:  # the answer has begun: the connection is all that can be ended
                raise
            await _our_fault(identity).response()(scope, receive, send_safely)
        finally:
            self._note(scope, method, identity, status, time.monotonic() - started, said)

    def _is_let_in(self, headers: Headers) -> bool:
        """Browsers say whether a page of another server asks; what is no browser does not, and may ask."""
        ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return ours or not {"*", headers.get("origin")}.isdisjoint(self._cors_origins)

    def _note(
        self, scope: Scope, method: str, identity: str, status: int, seconds: float, said: dict[str, int]
    ) -> None:
        route = getattr(scope.get("route"), "path", "other")  # not what was asked for, of which there is no end
        self._counters.requests.labels(route, status).inc()
        self._counters.request_seconds.labels(route).observe(seconds)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in UNLOGGED:
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": identity,
            "client": scope["client"][0] if scope.get("client") else None,
            "method": method,
            "path": path[:LONGEST_PATH],
            "status": status,
            "ms": round(1e3 * seconds, 1),
            **said,
        }
        log.info(json.dumps(line))


def _head_bytes(scope: Scope) -> int:
    return len(scope["query_string"]) + sum(len(name) + len(value) for name, value in scope["headers"])


def _long_head() -> ProblemError:
    return ProblemError(431, f"The request's head is larger than {LONGEST_HEAD:,} bytes.", fix="Send fewer headers.")


def _foreign() -> ProblemError:
    return ProblemError(403, "A page of another server asks.", fix="Start the server with --cors-origin for it.")


def _ending() -> ProblemError:
    return ProblemError(503, "The server ends.", headers={"Retry-After": "1"})


def _our_fault(identity: str) -> ProblemError:
    return ProblemError(
        500,
        "Something went wrong in the server, not in your request.",
        fix=f"Its log says what, under {identity}.",
    )
