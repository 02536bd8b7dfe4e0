"""The statement of account of a customer: the page of a period, its PDF, and the dialog that mails it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils.translation import gettext

from partway.billing.models import Customer
from partway.billing.receivables import statements
from partway.billing.receivables.statements import Statement
from partway.delivery.pdf import pdf_response, statement_pdf
from partway.delivery.statement_rows import period_label, statement_rows

from .. import mail_frame
from ..access import get_own_or_404
from ..confirm import RepeatableActForm, confirm
from ..context import MemberContext
from ..forms import RecipientsForm, query_text
from ..list_filters import InvalidFilter, read_range

PAGE_ROWS = 100


class SendForm(RepeatableActForm, RecipientsForm):
    """Whom the statement goes to."""


def show(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """The period of the address, this year where it names none; each movement with its running balance."""
    customer = get_own_or_404(ctx, Customer.objects.select_related("organization"), customer_id)
    statement, message = _statement(ctx, customer)
    page = Paginator(statement.movements, PAGE_ROWS).get_page(ctx.request.GET.get("page"))
    forwarded = statement.movements[page.start_index() - 2].balance if page.number > 1 else None
    context = {
        "customer": customer,
        "statement": statement,
        "page": page,
        "forwarded": forwarded,
        "rows": statement_rows(replace(statement, movements=tuple(page.object_list))),
        "currencies": statements.currencies(customer),
        "message": message,
        "period": _query(statement),
    }
    return ctx.render("staff/customers/statement.html", context)


def pdf(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """The same as a file."""
    customer = get_own_or_404(ctx, Customer.objects.select_related("organization"), customer_id)
    if ctx.is_post:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return pdf_response(statement_pdf(_statement(ctx, customer)[0], now=ctx.now))


def send(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """Asks to whom the statement of the period is mailed; it ends today where the period is not over.

    Its second button fills the frame of the dialog with the mail, and sends nothing.
    """
    customer = get_own_or_404(ctx, Customer.objects.select_related("organization"), customer_id)
    page = ctx.url("customer_statement", customer.pk)
    statement, message = _statement(ctx, customer)
    if message:  # its page says what of the period cannot be read
        return ctx.redirect(f"{page}?{_asked(ctx).urlencode()}")
    statement = replace(statement, until=max(statement.since, statement.as_of))
    back = f"{page}?{_query(statement)}"
    form = SendForm(ctx.post_data, initial={"to": customer.email})
    period = {name: getattr(statement, name) for name in ("currency", "since", "until")}
    if "preview" in form.data:
        return mail_frame.preview(
            form, lambda: statements.preview(customer, **period, recipients=form.recipients(), now=ctx.now)
        )

    def act(form: SendForm) -> HttpResponse:
        event = statements.send(
            customer,
            **period,
            recipients=form.recipients(),
            by=ctx.actor,
            now=ctx.now,
            idempotency_key=form.content_key(ctx.request.path),
        )
        notice = gettext("The statement of account is on its way to %(to)s.")
        return ctx.redirect(back, notice=notice % {"to": ", ".join(event.data["to"])})

    return confirm(
        ctx,
        customer,
        "staff/customers/send_statement.html",
        form=form,
        act=act,
        back=back,
        context=lambda: {"statement": statement, "period": period_label(statement.since, statement.until)},
    )


def _statement(ctx: MemberContext, customer: Customer) -> tuple[Statement, str]:
    """Returns the statement that the address asks for, and what of the address could not be read."""
    known, message = statements.currencies(customer), ""
    asked = query_text(_asked(ctx), "currency").upper()
    own = customer.organization.currency
    currency = asked if asked in known else own if own in known else known[0]
    try:
        since, until = read_range([query_text(_asked(ctx), name) for name in ("from", "until")])
    except InvalidFilter as error:
        since, until, message = None, None, str(error)
    until = until or max(ctx.today, since or ctx.today)
    since = since or date(until.year, 1, 1)
    statement = statements.statement(customer, currency=currency, since=since, until=until, now=ctx.now)
    return statement, message


def _asked(ctx: MemberContext) -> QueryDict:
    """Returns what has the period and the currency: the address, or the form that was opened with it."""
    return ctx.post_data or ctx.request.GET


def _query(statement: Statement) -> str:
    """Returns the address of this statement, for the links to its file and its mail."""
    period = {"from": statement.since.isoformat(), "until": statement.until.isoformat()}
    return urlencode({**period, "currency": statement.currency})
