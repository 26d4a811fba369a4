"""The options of a request, from its address and its form, as a Selection."""

from typing import Any

from fastapi import Request
from pydantic import ValidationError

from ssd300.serve import schemas
from ssd300.serve.problems import ProblemError, bad_option
from ssd300.serve.service import Service
from ssd300.serve.uploads import Upload
from ssd300.types import Selection


def all_options(in_address: schemas.DetectionOptions, request: Request, upload: Upload) -> schemas.DetectionOptions:
    """The options of the address and of the form together.

    Raises ProblemError for one that is unknown, out of range, given twice, or given in both.
    """
    for name in request.query_params:
        if name != "classes" and len(request.query_params.getlist(name)) > 1:
            raise ProblemError(422, f"The address has '{name}' more than once.", fix="Send it once.")
    if not upload.fields:
        return in_address
    given: dict[str, Any] = {}
    for name, value in upload.fields:
        if name in request.query_params:
            raise ProblemError(422, f"'{name}' is both in the address and in the form.", fix="Send it once.")
        if name == "classes":
            given.setdefault(name, []).append(value)
        elif name in given:
            raise ProblemError(422, f"The form has '{name}' more than once.", fix="Send it once.")
        else:
            given[name] = value
    try:
        return schemas.DetectionOptions.model_validate(in_address.model_dump(exclude_unset=True) | given)
    except ValidationError as error:
        raise bad_option(error.errors()) from error


def selection_of(service: Service, options: schemas.DetectionOptions) -> Selection:
    """The options as a Selection. Raises ProblemError for a class that the model does not have."""
    try:
        return service.selection(**options.model_dump())
    except ValueError as error:
        raise ProblemError(422, f"{error}.", fix="/v1/model lists the classes.") from error
