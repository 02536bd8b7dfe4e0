"""The parts of the OpenAPI document that every call has: its errors, its headers, and how calls are made."""

from __future__ import annotations

import json
from http import HTTPStatus
from importlib.resources import files
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
_OF_ACTS = (408, 409, 413, 415)
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of this call, which is in the log of the installation too.",
        "required": True,
        "schema": _TEXT,
    },
    "RateLimit-Policy": {
        "description": "How many calls (q) a key may make in how many seconds (w).",
        "schema": _TEXT,
        "example": '"key";q=600;w=60',
    },
    "RateLimit": {
        "description": "How many calls are left (r), and in how many seconds all are (t).",
        "schema": _TEXT,
        "example": '"key";r=599;t=60',
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": _NUMBER},
    "ETag": {
        "description": "Names this answer; sent back as If-None-Match, it is not sent again.",
        "schema": _TEXT,
    },
    "Idempotent-Replayed": {
        "description": "true where the call had been made before with its Idempotency-Key.",
        "schema": _TEXT,
    },
    "WWW-Authenticate": {"description": "How a key is sent.", "schema": _TEXT},
}
_OF_STATUS = {
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
# Of what calls return, by the name of its schema: all of one customer, from a quote and an invoice to a payout.
_EXAMPLES: dict[str, Any] = json.loads(files(__package__).joinpath("examples.json").read_text("utf-8"))
_OF_ANSWERS = {"GET": ("ETag",), "POST": ("Idempotent-Replayed",)}


def shared_parts(method: str, status: int) -> dict[str, Any]:
    """Returns what the document says of a call beside its schemas; `status` is that of its answer."""
    statuses = {*_OF_ALL_CALLS, *(() if method == "GET" else _OF_ACTS)}
    responses: dict[str | int, Any] = {str(each): _response(each) for each in sorted(statuses)}
    if method == "GET":
        not_modified = "The program has this answer already."
        responses["304"] = {"description": not_modified, "headers": _headers(*_OF_STATUS[304])}
    # As a number, by which django-ninja names the answer that this is added to.
    responses[status] = {"headers": _headers(*_OF_ANSWERS.get(method, ()))}
    parameters = {"POST": [_IDEMPOTENCY_KEY], "GET": [_IF_NONE_MATCH]}.get(method)
    return {"responses": responses, **({"parameters": parameters} if parameters else {})}


def problem_schemas() -> dict[str, Any]:
    """Returns the schemas of errors, by name."""
    schema = Problem.model_json_schema(ref_template=REFERENCE)
    parts: dict[str, Any] = schema.pop("$defs")
    return {**parts, "Problem": schema}


def add_examples(schemas: dict[str, Any]) -> None:
    """Adds an example to the schema of every answer; that of a list has one row."""
    for name, schema in schemas.items():
        fields = schema.get("properties", {})
        row = fields.get("data", {}).get("items", {}).get("$ref", "").rpartition("/")[2]
        if name in _EXAMPLES:
            schema["examples"] = [_EXAMPLES[name]]
        elif row:
            last = {"next": None} if "next" in fields else {}
            schema["examples"] = [{"data": [_EXAMPLES[row]], **last}]


def _response(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    headers = _headers(*_OF_STATUS.get(status, ()))
    return {"description": HTTPStatus(status).phrase, "content": content, "headers": headers}


def _headers(*names: str) -> dict[str, Any]:
    """Returns these headers and those that every response has."""
    shared = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*shared, *names)}
