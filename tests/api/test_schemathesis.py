"""Schemathesis over the whole OpenAPI document: whatever is sent, each response is one that the document has.

Each call is made on a row in a state in which it can succeed, with bodies and parameters that Schemathesis makes of the
document, right ones and wrong ones. A run tries a few, always the same; `make fuzz` tries new ones for hours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from partway.accounts.models import KeyScope, Organization
from tests.api.calls import CALLS, body_of, path_of
from tests.api.program import program

# "all", or the number of attempts of `make fuzz`; without it, what a run of all tests can afford.
FUZZ = os.environ.get("PARTWAY_FUZZ", "")
EXAMPLES = max(int(FUZZ) // 50, 1) if FUZZ.isdigit() else {"": 2}.get(FUZZ, 2_000)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SETTINGS = hypothesis_settings(
    max_examples=EXAMPLES,
    derandomize=FUZZ == "",
    database=None,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if FUZZ else [])],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(db: None) -> Iterator[Any]:
    """The document as it is served, of an application that is called without a server."""
    # They would close the connection that has the transaction of the test, as Django's own test client knows.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.left_to("sqlite")
def test_every_response_to_generated_calls_is_documented(
    document: Any, organization: Organization, settings: Settings
) -> None:
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    settings.PARTWAY_API_CALLS_PER_MINUTE = 1_000_000
    # The lowest first: what it may not do has not been done yet when the next one tries it.
    secrets = [program(organization, scope).secret for scope in KeyScope.values]
    failures = []
    for result in document.get_all_operations():
        operation = result.ok()
        try:
            try_operation(operation, organization, secrets)
        except (
            AssertionError,
            BaseExceptionGroup,
        ) as error:  # every call is tried, and every failure reported
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)


def try_operation(
    operation: APIOperation[Any, Any, Any], organization: Organization, secrets: list[str]
) -> None:
    """Makes a call with generated input by each key, on a row of the organization or on one that does not exist."""
    name = operation.definition.raw["operationId"]
    path, body = path_of(name, organization).partition("?")[0], body_of(name, organization)
    parts = zip(CALLS[name].path.split("/"), path.split("/"), strict=True)
    ids = {field.strip("{}"): row_id for field, row_id in parts if field.startswith("{")}
    cases = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @SETTINGS
    @given(case=st.one_of(cases), is_row=st.sampled_from([True, True, False]), changes=st.data())
    def try_one(case: Case, is_row: bool, changes: st.DataObject) -> None:
        if is_row and ids:
            case.path_parameters = ids
        if is_row and body and isinstance(case.body, dict):
            # A right body with some generated fields goes deeper than one of which nothing exists.
            kept = changes.draw(st.sets(st.sampled_from(sorted(body))))
            case.body = {**case.body, **{field: body[field] for field in kept}}
        for secret in secrets:
            # Schemathesis asks for gzip, which it decodes only where it calls a server.
            headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
            case.validate_response(case.call(headers=headers), checks=CHECKS, headers=headers)

    try_one()
