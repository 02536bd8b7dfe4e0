"""Version 1 of the API: its routes, how it reads JSON, and which problem each error becomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from partway.billing.errors import BillingError
from partway.lib.untrusted_json import InvalidJson, read_json

from . import (
    alerts,
    customer_accounts,
    customers,
    disputes,
    events,
    imports,
    invoice_acts,
    invoices,
    journal,
    openapi,
    organization,
    payment_requests,
    payments,
    payouts,
    quotes,
    webhook_payloads,
    webhooks,
)
from .problems import Refused, of_billing_error, of_refusal, of_validation, problem


class UntrustedParser(Parser):
    """Reads bodies by the one reader of JSON from outside."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the object of the body; raises Refused."""
        try:
            value = read_json(request.body)
        except InvalidJson as error:
            raise Refused(400, "malformed_json", detail=f"The body cannot be read: {error}.") from None
        if not isinstance(value, dict):
            raise Refused(400, "malformed_json", detail="The body is not a JSON object.")
        return value


class ExactEncoder(NinjaJSONEncoder):
    """Writes times to the microsecond, as webhooks do: cut to milliseconds, as a bound they would miss their row."""

    def default(self, o: Any) -> Any:
        """Returns what JSON has for an object."""
        return o.isoformat().replace("+00:00", "Z") if isinstance(o, datetime) else super().default(o)


class ExactRenderer(JSONRenderer):
    """Renders the responses of calls."""

    encoder_class = ExactEncoder


class DocumentedApi(NinjaAPI):
    """Writes the schema of errors into its OpenAPI document, to which the responses of every call refer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._documents: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(self, **prefixes: Any) -> OpenAPISchema:
        """Returns the document, which is made once: everyone can ask for it, and it takes some time."""
        asked = repr(prefixes)
        if asked not in self._documents:
            document = super().get_openapi_schema(**prefixes)
            webhook_calls, webhook_schemas = webhook_payloads.openapi_webhooks(openapi.REFERENCE)
            document["webhooks"] = webhook_calls
            document["components"]["schemas"] |= openapi.problem_schemas() | webhook_schemas
            openapi.add_examples(document["components"]["schemas"])
            document["components"]["headers"] = openapi.HEADERS
            self._documents[asked] = document
        return self._documents[asked]


api = DocumentedApi(
    title="Partway",
    version="1",
    description=openapi.DESCRIPTION,
    urls_namespace="api",
    openapi_url="openapi.json",
    docs_url=None,
    parser=UntrustedParser(),
    renderer=ExactRenderer(),
)
for prefix, router in (
    ("/customers", customers.router),
    ("/invoices", invoices.router),
    ("/invoices", invoice_acts.router),
    ("/quotes", quotes.router),
    ("/imports", imports.router),
    ("", payment_requests.router),
    ("", payments.router),
    ("", customer_accounts.router),
    ("", disputes.router),
    ("", payouts.router),
    ("", journal.router),
    ("", alerts.router),
    ("", events.router),
    ("", organization.router),
    ("/webhook_endpoints", webhooks.router),
):
    api.add_router(prefix, router)


def respond(_request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Returns the problem of an error that a route raises."""
    match error:
        case BillingError():
            return of_billing_error(error)
        case HttpError(__cause__=Refused() as refused):  # ninja wraps whatever the parser raises
            return of_refusal(refused)
        case Refused():
            return of_refusal(error)
        case HttpError():
            return problem(error.status_code, "bad_request")
        case ValidationError():
            return of_validation(error.errors)
    return problem(
        404, "not_found", detail=f"There is no {error} that this key can see." if str(error) else ""
    )


for kind in (BillingError, Refused, HttpError, ValidationError, Http404):
    api.add_exception_handler(kind, respond)
