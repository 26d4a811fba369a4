"""What a request asks for, in its address and its form, as a selection."""

from typing import Any

from fastapi import Request
from pydantic import ValidationError

from ssd300.serve import schemas
from ssd300.serve.problems import ProblemError, bad_wish
from ssd300.serve.service import Service
from ssd300.serve.uploads import Upload
from ssd300.types import Selection


def all_wishes(wishes: schemas.Wishes, request: Request, upload: Upload) -> schemas.Wishes:
    """Those of the address and of the form together. Raises ProblemError for one that is no wish, or in both."""
    for name in request.query_params:
        if name != "classes" and len(request.query_params.getlist(name)) > 1:
            raise ProblemError(422, f"'{name}' stands in the address more than once.", fix="Send it once.")
    if not upload.fields:
        return wishes
    given: dict[str, Any] = {}
    for name, value in upload.fields:
        if name in request.query_params:
            raise ProblemError(422, f"'{name}' stands in the address and in the form.", fix="Send it once.")
        if name == "classes":
            given.setdefault(name, []).append(value)
        elif name in given:
            raise ProblemError(422, f"'{name}' stands in the form more than once.", fix="Send it once.")
        else:
            given[name] = value
    try:
        return schemas.Wishes.model_validate(wishes.model_dump(exclude_unset=True) | given)
    except ValidationError as error:
        raise bad_wish(error.errors()) from error


def selection_of(service: Service, wishes: schemas.Wishes) -> Selection:
    """Raises ProblemError."""
    try:
        return service.selection(**wishes.model_dump())
    except ValueError as error:
        raise ProblemError(422, f"{error}.", fix="/v1/model says which classes there are.") from error
