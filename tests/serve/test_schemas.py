"""Requests sampled from the API's own description, and others that it does not allow."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from ssd300.serve import ServeSettings, make_app

EXAMPLES = 60
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # schemathesis does, within hypothesis
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_responses_are_those_described(mode, detector):
    """Of all addresses, for requests that the description allows and for others."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(detector, ServeSettings()))
    asked = set()
    for operation in (result.ok() for result in schema.get_all_operations()):
        if mode.is_negative and operation.path != "/v1/detect":
            continue  # the others take nothing that could be wrong

        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case):
            asked.add(f"{case.method} {case.path}")
            case.call_and_validate(checks=CHECKS)

        answered()
    assert "POST /v1/detect" in asked
