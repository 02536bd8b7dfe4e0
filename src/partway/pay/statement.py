"""The page of a statement of account: what was owed and paid in the period that was mailed; nothing is paid here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partway.billing import links
from partway.billing.models import Event, Party
from partway.billing.receivables import statements
from partway.delivery.pdf import pdf_response, statement_pdf
from partway.delivery.statement_rows import statement_rows
from partway.lib.clock import now, today

from . import responses
from .decorators import row_of_link


@require_safe
@row_of_link(links.statement_by_token)
def show(request: HttpRequest, token: str, event: Event) -> HttpResponse:
    """The statement, made anew."""
    at, organization = now(), event.organization
    statement = statements.of_event(event, now=at)
    context = {
        "token": token,
        "organization": organization,
        "seller": Party.of_seller(organization),
        "recipient": Party.of_customer(statement.customer),
        "statement": statement,
        "rows": statement_rows(statement),
        "made_on": today(at, organization.time_zone),
    }
    return responses.page(request, "statement", context)


@require_safe
@row_of_link(links.statement_by_token)
def pdf(request: HttpRequest, token: str, event: Event) -> HttpResponse:
    """The same as a file."""
    at = now()
    return pdf_response(statement_pdf(statements.of_event(event, now=at), now=at, event=event))
