"""The parts of the OpenAPI document that every call has: its errors, its headers, and how calls are made."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from .schemas import Problem

DESCRIPTION = """\
Collect an invoice in stages: ask for a part of what is due, and the customer pays it by a link.

Send a key as `Authorization: Bearer KEY`. Amounts are whole numbers of minor units (cents, yen, fils) beside their
currency, quantities and percentages are decimals as texts, times are RFC 3339. Every error is a problem (RFC 9457):
compare its `code`, not its texts.\
"""
REFERENCE = "#/components/schemas/{model}"
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Repeated with the same body within a day, the call gets the answer that it had.",
    "example": "job-4711-stage-2",
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of the answer that the program has: 304 without a body while it is still the same.",
}
# A list has 404 too: it can be asked for rows of a customer or an invoice that does not exist.
_OF_ALL_CALLS = (400, 401, 403, 404, 422, 429, 500, 503)
_OF_ACTS = (409, 413, 415)
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def shared_parts(method: str) -> dict[str, Any]:
    """Returns what the document says of a call beside its schemas."""
    statuses = sorted({*_OF_ALL_CALLS, *(() if method == "GET" else _OF_ACTS)})
    responses: dict[str, Any] = {str(status): _response(status) for status in statuses}
    if method == "GET":
        responses["304"] = {"description": "The program has this answer already."}
    parameters = {"POST": [_IDEMPOTENCY_KEY], "GET": [_IF_NONE_MATCH]}.get(method)
    return {"responses": responses, **({"parameters": parameters} if parameters else {})}


def problem_schemas() -> dict[str, Any]:
    """Returns the schemas of errors, by name."""
    schema = Problem.model_json_schema(ref_template=REFERENCE)
    parts: dict[str, Any] = schema.pop("$defs")
    return {**parts, "Problem": schema}


def _response(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    headers = {"headers": _RETRY_AFTER} if status in (409, 429, 503) else {}
    return {"description": HTTPStatus(status).phrase, "content": content, **headers}
