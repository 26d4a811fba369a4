"""The token that requests need, as a dependency of endpoints."""

import hmac
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ssd300.serve.problems import ProblemError


def token_check(token: str) -> Any:
    """A check that raises ProblemError for a request without this token."""
    scheme = HTTPBearer(auto_error=False)

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise ProblemError(
                401,
                "The server requires a token, and the request has none or a wrong one.",
                fix="Send it as 'Authorization: Bearer TOKEN'.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check
