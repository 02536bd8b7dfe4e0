"""Problem details (RFC 9457): the JSON of every error, with a stable code, the wrong fields and the request's id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from math import ceil
from typing import Any, get_args

import structlog
from django.http import HttpResponse, QueryDict
from pydantic_core.core_schema import ErrorType

from partway.billing.errors import (
    PROMISED_FIELD_CODES,
    BillingError,
    Invalid,
    PaymentRequestOpen,
    RateLimited,
)
from partway.delivery.messages import TO_PROGRAMS, error_message, field_messages
from partway.lib.money import Money

MEDIA_TYPE = "application/problem+json"
# What to do about a refusal that no rule of billing made.
_DETAILS = {
    "bad_request": "The request cannot be read.",
    "call_in_progress": "Another request with this Idempotency-Key is being worked on. Repeat it in a second.",
    "forbidden": "The scope of this key does not allow this.",
    "idempotency_key_invalid": "An Idempotency-Key has 1 to 255 visible ASCII characters.",
    "idempotency_key_reused": "This Idempotency-Key was used for another request. Take a new key.",
    "internal_error": "This failed on our side. The request's id leads to its cause in the log.",
    "invalid": "Correct the fields that are named.",
    "malformed_json": "The body is not the JSON that can be taken.",
    "method_not_allowed": "This address does not take this method; the header Allow names those it takes.",
    "not_found": "There is nothing here that this key can see.",
    "rate_limited": "Too many calls. The header Retry-After says how many seconds to wait.",
    "request_timeout": "The body did not arrive in time. Nothing was changed. Send it again.",
    "too_large": "The body is larger than one megabyte, the most that a call may have.",
    "unauthenticated": "Send a key that is valid here, as Authorization: Bearer and the key.",
    "unavailable": "Partway is busy. Nothing was changed. Repeat the call in a few seconds.",
    "unsupported_media_type": "Send the body as application/json.",
}

# Sentences about input of the wrong form, by the type of pydantic's error; its values are filled in.
_FORM_CODES = {"missing": "required", "extra_forbidden": "unknown"}
_FORMS = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "Send a text.",
    "string_too_short": "Send at least {min_length} characters.",
    "string_too_long": "Send at most {max_length} characters.",
    "string_pattern_mismatch": "Send a text of the form {pattern}.",
    "int_type": "Send a whole number.",
    "int_parsing": "Send a whole number.",
    "int_parsing_size": "Send a smaller number.",
    "int_from_float": "Send a whole number.",
    "greater_than_equal": "Send {ge} or more.",
    "less_than_equal": "Send {le} or less.",
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "enum": "Send one of these: {expected}.",
    "literal_error": "Send one of these: {expected}.",
    "list_type": "Send a list.",
    "too_short": "Send at least {min_length}.",
    "too_long": "Send at most {max_length}.",
    "dict_type": "Send an object.",
    "model_type": "Send an object.",
    "model_attributes_type": "Send an object.",
    "timezone_aware": "Send a time with its offset, as 2026-11-30T15:04:05Z.",
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        "Send a time, as 2026-11-30T15:04:05Z.",
    ),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "Send a day, as 2026-11-30.",
    ),
}
_OTHER_FORM = "This is not in the form that the document of the API describes."
_PARAMETERS = {
    "unknown": "There is no such parameter here.",
    "repeated": "Send this parameter once.",
}

# Fields that calls name differently from billing.
_FIELD_NAMES = {
    "discount_percent": "discount.percent",
    "discount_amount": "discount.amount",
    "settle_reason": "reason",
    "settle_note": "note",
    "file": "content",
    "is_large_confirmed": "confirm_large",
}

# These are about members and settings, to which no call leads.
_OF_PAGES = {
    "gateway_not_allowed",
    "gateway_not_ready",
    "gateway_refused",
    "invitation_not_open",
    "last_owner",
}


def _codes(kind: type[BillingError]) -> set[str]:
    return {kind.code}.union(*map(_codes, kind.__subclasses__()))


# Every code that a problem can have.
CODES = sorted(
    {*_DETAILS, *PROMISED_FIELD_CODES, *_codes(BillingError)} - {"error", "not_payable", *_OF_PAGES}
)


class Refused(Exception):
    """A call that the door itself refuses; `headers` are those of the response."""

    def __init__(
        self, status: int, code: str, *, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def problem(
    status: int, code: str, *, detail: str = "", headers: Mapping[str, str] | None = None, **members: Any
) -> HttpResponse:
    """Returns the response of an error; members that are empty are left out."""
    content = {
        "type": f"urn:partway:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail or _DETAILS.get(code, ""),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **{name: value for name, value in members.items() if value},
    }
    return HttpResponse(json.dumps(content), status=status, content_type=MEDIA_TYPE, headers=headers)


def of_refusal(error: Refused) -> HttpResponse:
    """Returns the problem of a refusal by the door."""
    return problem(error.status, error.code, detail=error.detail, headers=error.headers)


def of_billing_error(error: BillingError) -> HttpResponse:
    """Returns the problem of a refusal by billing, with its code, reason and parameters."""
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(ceil(error.retry_after.total_seconds()))
    fields = []
    if isinstance(error, Invalid):
        messages = field_messages(error, TO_PROGRAMS)
        for name, wrong in error.fields.items():
            code, params = ("invalid", {}) if isinstance(wrong, str) else (wrong.code, wrong.params)
            said = {"field": _FIELD_NAMES.get(name, name), "code": code, "message": messages[name]}
            fields.append({**said, **({"params": _json(params)} if params else {})})
    named = error.request.pk if isinstance(error, PaymentRequestOpen) else ""
    return problem(
        error.status,
        error.code,
        detail=error_message(error, TO_PROGRAMS),
        headers=headers,
        reason=error.reason,
        params=_json(error.params),
        fields=fields,
        payment_request=named,
    )


def of_validation(errors: list[dict[str, Any]]) -> HttpResponse:
    """Returns the problem of input of the wrong form; `errors` are those of pydantic."""
    fields = []
    for error in errors:
        kind, values = error["type"], error.get("ctx", {})
        # A parameter that is repeated is one field; of a list in a body the wrong item is named.
        is_parameter = error["loc"][0] == "query"
        path = [str(part) for part in error["loc"][2:] if not (is_parameter and isinstance(part, int))]
        name = ".".join(path) or values.get("name") or str(error["loc"][-1])
        if kind in get_args(ErrorType):
            code, message = _FORM_CODES.get(kind, "wrong_form"), _FORMS.get(kind, _OTHER_FORM)
            fields.append({"field": name, "code": code, "message": message.format(**values)})
        else:
            fields.append({"field": name, "code": kind, "message": error["msg"]})
    return problem(422, "invalid", fields=fields)


def wrong_parameters(query: QueryDict, known: Mapping[str, bool]) -> HttpResponse | None:
    """Returns the problem of parameters that a call does not take, or takes once; None where all are right.

    known: the parameters of the call, and whether each may be repeated.
    """
    wrong = {
        name: "repeated" if name in known else "unknown"
        for name, values in query.lists()
        if name not in known or (len(values) > 1 and not known[name])
    }
    fields = [
        {"field": name[:40], "code": code, "message": _PARAMETERS[code]} for name, code in wrong.items()
    ]
    return problem(422, "invalid", fields=fields) if fields else None


def _json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns parameters as JSON has them: money in minor units beside its currency."""

    def value(param: Any) -> Any:
        match param:
            case Money():
                return {"amount": param.amount_minor, "currency": param.currency}
            case datetime() | date():
                return param.isoformat()
            case Decimal():
                return f"{param:f}"
            case bool() | int() | str() | None:
                return param
            case _other:
                return str(param)

    return {name: value(param) for name, param in params.items()}
