"""The bodies of the page's requests: JSON, with a limit on its size while it arrives."""

import asyncio
import json
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from ssd300.serve.problems import ProblemError

MOST_BYTES = 4_000_000
WAITS_S = 30.0
Model = TypeVar("Model", bound=BaseModel)


async def json_body(request: Request, model: type[Model]) -> Model:
    """The body as this type.

    Raises ProblemError: 415 for another type than JSON, 413 for too many bytes, 408 for a slow one, 422 for other
    content.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(415, "The body is not JSON.", fix="Send it with 'Content-Type: application/json'.")
    body = bytearray()
    try:
        async with asyncio.timeout(WAITS_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ProblemError(413, f"The body has more than {MOST_BYTES:,} bytes.", fix="Send fewer boxes.")
    except TimeoutError:
        raise ProblemError(408, "The body did not arrive in time.", fix="Send it again.") from None
    try:
        return model.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ProblemError(422, f"{place}: {first['msg']}.", fix="Load the page again.") from error
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, "The body is not JSON.", fix="Load the page again.") from error
