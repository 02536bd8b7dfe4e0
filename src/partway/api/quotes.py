"""Quotes: list, read, write and change, and what happens to a whole quote, its deposit and its invoice included."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.db.models import OuterRef, Prefetch, Subquery
from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from partway.accounts.permissions import Permission
from partway.billing import external_fields, links, models, preconditions
from partway.billing.documents import deposits, quote_decisions, quote_terms, quotes
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.documents.quotes import QuoteDraft
from partway.billing.errors import DepositNotDivisible
from partway.billing.models import Event
from partway.billing.models.quotes import QuoteQuerySet, QuoteStatus
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.lib.money import Money

from . import lists
from .access import Caller, KeyRequest, call, get_customer, get_own_or_404
from .documents import (
    Discount,
    DocumentChanges,
    DocumentInput,
    DocumentLine,
    PercentOrAmount,
    changed_content,
    new_content,
    percent_or_amount,
    shown_discount,
    shown_lines,
)
from .objects import Expandable, Invoice, expand, fresh_invoice
from .payment_objects import Payment, fresh_payment
from .schemas import (
    EXPAND,
    Amount,
    DatedFilters,
    Day,
    DecimalString,
    ExternalReference,
    Id,
    Input,
    Page,
    Parameters,
    ReferenceFilter,
    SearchText,
    Version,
    decimal_string,
    shown_as,
)

router = Router(tags=["Quotes"])


class DepositInput(PercentOrAmount):
    """The deposit that a quote asks for: either a percentage of its total or an amount."""


class Deposit(BaseModel):
    """A deposit as it was given, in percent or as an amount."""

    percent: DecimalString | None
    amount: int | None


class Quote(Expandable):
    """An offer; amounts are in minor units of its currency.

    deposit_amount: what the deposit comes to, always paid in full. deposit_due: what of it is due now: all or nothing.
    deposit_status: none, due, processing or paid. invoice: that was made of it. url: the customer's page, null for a
    draft, and for a key that may not use links.
    """

    id: str
    number: str | None
    status: QuoteStatus
    customer: str
    currency: str
    lines: list[DocumentLine]
    discount: Discount | None
    notes: str
    subtotal: int
    tax: int
    total: int
    deposit: Deposit | None
    deposit_amount: int
    deposit_due: int
    deposit_status: str
    valid_until: date
    accepted_by: str
    accepted_at: datetime | None
    invoice: str | None
    url: str | None
    external_reference: ExternalReference
    metadata: dict[str, str]
    version: int
    created_at: datetime
    sent_at: datetime | None
    updated_at: datetime


class QuoteList(Page[Quote]):
    """A page of quotes, the newest first."""


class QuoteParts(Parameters):
    """The objects that a quote is returned with."""

    expand: Annotated[list[Literal["customer", "invoice"]], Field(max_length=2, description=EXPAND)] = []


class QuoteFilters(DatedFilters, QuoteParts):
    """Which quotes to list; the bounds of ranges belong to them."""

    status: QuoteStatus | None = None
    customer: Id | None = None
    external_reference: ReferenceFilter | None = None
    search: Annotated[SearchText, Field(description="Words of the number or the customer.")] = ""


class NewQuote(DocumentInput):
    """A quote to write; it is a draft until it is sent.

    deposit: left out as the organization's settings say, null for none. valid_until: by default in thirty days.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer": "cus_06c5x2c2d8y05fgz8gbgrdwqph",
                    "lines": [{"description": "Oak staircase", "unit_amount": 250000}],
                    "deposit": {"percent": "30"},
                }
            ]
        }
    )

    deposit: DepositInput | None = None
    valid_until: Day | None = None


class QuoteChanges(DocumentChanges):
    """Changes of a draft; fields left out stay as they are, and `lines` replace all lines.

    version: that of the quote as it was read.
    """

    model_config = shown_as(version=1, valid_until="2026-12-31", deposit={"percent": "30"})

    deposit: DepositInput | None = None
    valid_until: Day | None = None


class VersionedQuote(Input):
    """The version of the quote as it was read; with it, a quote that was changed since is left alone."""

    model_config = shown_as(version=1)

    version: StrictInt | None = None


class Decision(Input):
    """The yes or no that the customer gave by phone or on site: who, and on which day; by default today."""

    model_config = shown_as(name="Dana Whitfield", decided_on="2026-11-30")

    name: str
    decided_on: Day | None = None
    note: str = ""


class OfflineDepositInput(Input):
    """A deposit that was received; always in full.

    amount: if given, that of the deposit. method: one of the payment modes of the organization's settings.
    paid_before_issue: it was paid on a day before the quote was sent.
    """

    model_config = shown_as(method="Check", paid_on="2026-11-30", reference="1024")

    amount: Amount | None = None
    method: str
    paid_on: Day
    reference: str = ""
    note: str = ""
    paid_before_issue: StrictBool = False


class PartOfDeposit(Input):
    """The amount that would be asked for of an invoice."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"amount_requested": 30_000}]})

    amount_requested: Amount = 0


NOTHING, NO_VERSION, NO_PART = Input(), VersionedQuote(), PartOfDeposit()


def rows() -> QuoteQuerySet:
    """Returns quotes with all that `shown` reads."""
    newest = Event.objects.filter(quote=OuterRef("pk")).order_by("-created_at", "-id").values("created_at")
    made = models.Invoice.objects.exclude(status="void").only("pk", "quote_id")
    found: QuoteQuerySet = models.Quote.objects.annotate(updated_at=Subquery(newest[:1]))
    return found.select_related("organization", "customer").prefetch_related(
        "lines", "payments", Prefetch("invoices", made, to_attr="made_invoices")
    )


def get_quote(caller: Caller, quote_id: str) -> models.Quote:
    """Returns this organization's quote, with its organization and customer, or raises Http404."""
    return get_own_or_404(caller, models.Quote.objects.select_related("organization", "customer"), quote_id)


def fresh(caller: Caller, quote_id: str) -> Quote:
    """Returns the quote as it is stored now, or raises Http404."""
    return shown(caller, get_own_or_404(caller, rows(), quote_id))


def shown(caller: Caller, row: models.Quote) -> Quote:
    """Returns a quote of `rows`."""
    found: Any = row
    has_page = row.status in ("sent", "accepted") and Permission.COPY_LINKS in caller.permissions
    deposit_status = deposits.deposit_status(row)
    is_due = row.status == QuoteStatus.ACCEPTED and deposit_status == "due"
    is_percent = row.deposit_kind == "percent"
    deposit = Deposit(
        percent=decimal_string(row.deposit_percent) if is_percent else None,
        amount=None if is_percent else row.deposit_amount_minor,
    )
    return Quote(
        id=row.pk,
        number=row.number,
        status=QuoteStatus(row.status),
        customer=row.customer_id,
        currency=row.currency,
        lines=shown_lines(row.lines.all()),
        discount=shown_discount(row),
        notes=row.notes,
        subtotal=row.subtotal_minor,
        tax=row.tax_minor,
        total=row.total_minor,
        deposit=deposit if row.deposit_kind else None,
        deposit_amount=row.deposit_minor,
        deposit_due=row.deposit_minor if is_due else 0,
        deposit_status=deposit_status,
        valid_until=row.valid_until,
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
        invoice=found.made_invoices[0].pk if found.made_invoices else None,
        url=links.quote_url(row) if has_page else None,
        external_reference=row.external_reference,
        metadata=row.metadata,
        version=row.version,
        created_at=row.created_at,
        sent_at=row.sent_at,
        updated_at=found.updated_at,
    )


@call(router, "GET", "", permission=Permission.VIEW_QUOTES, returns=QuoteList)
def index(request: KeyRequest, filters: Query[QuoteFilters]) -> QuoteList:
    """Lists quotes, the newest first."""
    caller = request.caller
    columns: dict[str, Any] = {
        "status": filters.status,
        "external_reference": filters.external_reference,
        "customer": get_customer(caller, filters.customer) if filters.customer else None,
    }
    found = lists.selected(rows(), "quote", filters, caller.organization, columns, search=filters.search)
    page = lists.page(QuoteList, found, filters, lambda row: shown(caller, row))
    expand(caller, page.data, filters.expand)
    return page


@call(router, "POST", "", permission=Permission.EDIT_QUOTES, returns=Quote, status=201)
def create(request: KeyRequest, body: NewQuote) -> Quote:
    """Writes a quote as a draft."""
    caller = request.caller
    content = new_content(caller, body)
    draft = QuoteDraft(
        valid_until=body.valid_until or caller.day_of_call + quote_terms.DEFAULT_VALIDITY,
        **content,
        **percent_or_amount("deposit", body.deposit),
    )
    if "deposit" not in body.model_fields_set:
        draft = quotes.with_default_deposit(draft, caller.organization)
    made = quotes.create(
        caller.organization,
        draft=draft,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh(caller, made.pk)


@call(router, "GET", "/{quote_id}", permission=Permission.VIEW_QUOTES, returns=Quote)
def show(request: KeyRequest, quote_id: Id, parts: Query[QuoteParts]) -> Quote:
    """Reads a quote."""
    found = fresh(request.caller, quote_id)
    expand(request.caller, [found], parts.expand)
    return found


@call(router, "PATCH", "/{quote_id}", permission=Permission.EDIT_QUOTES, returns=Quote)
def change(request: KeyRequest, quote_id: Id, body: QuoteChanges) -> Quote:
    """Changes a draft; reference and metadata can be changed in every state, and make no new version."""
    caller = request.caller
    quote = get_quote(caller, quote_id)
    if not body.has_other_changes():
        preconditions.check_version(quote, body.version)
        external_fields.change(quote, body.external, by=caller.actor, now=caller.now)
        return fresh(caller, quote_id)
    deposit: dict[str, Any] = {
        "deposit_kind": quote.deposit_kind,
        "deposit_percent": quote.deposit_percent,
        "deposit_amount_minor": quote.deposit_amount_minor,
    }
    if "deposit" in body.model_fields_set:
        deposit = percent_or_amount("deposit", body.deposit)
    draft = QuoteDraft(
        valid_until=body.valid_until or quote.valid_until, **changed_content(caller, quote, body), **deposit
    )
    quotes.edit(quote, draft=draft, expected_version=body.version, by=caller.actor, now=caller.now)
    return fresh(caller, quote_id)


@call(router, "DELETE", "/{quote_id}", permission=Permission.EDIT_QUOTES, returns=None, status=204)
def delete(request: KeyRequest, quote_id: Id, known: Query[Version]) -> None:
    """Deletes a draft, which has no number yet; one that was sent is withdrawn instead."""
    caller = request.caller
    quote = get_quote(caller, quote_id)
    quotes.delete_draft(quote, expected_version=known.version, by=caller.actor, now=caller.now)


@call(router, "POST", "/{quote_id}/send", permission=Permission.SEND_QUOTES, returns=Quote)
def send(request: KeyRequest, quote_id: Id, body: Body[VersionedQuote] = NO_VERSION) -> Quote:
    """Sends a draft: it gets its number, and the customer a mail with the link on which it is accepted."""
    caller = request.caller
    quotes.send(
        get_quote(caller, quote_id),
        expected_version=body.version,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh(caller, quote_id)


@call(router, "POST", "/{quote_id}/resend", permission=Permission.SEND_QUOTES, returns=Quote)
def resend(request: KeyRequest, quote_id: Id, body: Body[Input] = NOTHING) -> Quote:
    """Mails the link of a sent quote again."""
    caller = request.caller
    quotes.resend(
        get_quote(caller, quote_id), by=caller.actor, now=caller.now, idempotency_key=caller.one_time_key
    )
    return fresh(caller, quote_id)


@call(router, "POST", "/{quote_id}/accept", permission=Permission.RECORD_QUOTE_DECISIONS, returns=Quote)
def accept(request: KeyRequest, quote_id: Id, body: Decision) -> Quote:
    """Records that the customer accepted; they get a mail that says so, with the link to pay the deposit."""
    caller = request.caller
    quote_decisions.record_acceptance(
        get_quote(caller, quote_id), decision=spoken(caller, body), by=caller.actor, now=caller.now
    )
    return fresh(caller, quote_id)


@call(router, "POST", "/{quote_id}/decline", permission=Permission.RECORD_QUOTE_DECISIONS, returns=Quote)
def decline(request: KeyRequest, quote_id: Id, body: Decision) -> Quote:
    """Records that the customer declined; the note is their reason."""
    caller = request.caller
    quote_decisions.record_decline(
        get_quote(caller, quote_id), decision=spoken(caller, body), by=caller.actor, now=caller.now
    )
    return fresh(caller, quote_id)


def spoken(caller: Caller, body: Decision) -> SpokenDecision:
    """Returns the decision as billing takes it."""
    decided_on = body.decided_on or caller.day_of_call
    return SpokenDecision(body.name, decided_on, body.note, idempotency_key=caller.one_time_key)


@call(router, "POST", "/{quote_id}/withdraw", permission=Permission.WITHDRAW_QUOTES, returns=Quote)
def withdraw(request: KeyRequest, quote_id: Id, body: Body[Input] = NOTHING) -> Quote:
    """Ends a quote that was sent: its link is dead once this returns."""
    caller = request.caller
    quote_decisions.withdraw(get_quote(caller, quote_id), by=caller.actor, now=caller.now)
    return fresh(caller, quote_id)


@call(
    router,
    "POST",
    "/{quote_id}/payments",
    permission=Permission.RECORD_PAYMENTS,
    returns=Payment,
    status=201,
)
def record_deposit(request: KeyRequest, quote_id: Id, body: OfflineDepositInput) -> Payment:
    """Records that the deposit of an accepted quote was received in cash, by check or by transfer, in full."""
    caller = request.caller
    quote = get_quote(caller, quote_id)
    if body.amount not in (None, quote.deposit_minor):
        raise DepositNotDivisible()
    deposit = OfflineDeposit(idempotency_key=caller.one_time_key, **body.model_dump(exclude={"amount"}))
    made = deposits.record_deposit(quote, deposit=deposit, by=caller.actor, now=caller.now)
    return fresh_payment(caller, made.pk)


@call(router, "POST", "/{quote_id}/payment_requests", permission=Permission.REQUEST_PAYMENTS, returns=Quote)
def request_payment(request: KeyRequest, quote_id: Id, body: Body[PartOfDeposit] = NO_PART) -> Quote:
    """Is refused as `deposit_not_divisible`: a deposit is paid in full, by the link of the quote."""
    caller = request.caller
    quote = get_quote(caller, quote_id)
    wanted = NewPaymentRequest(amount=Money(body.amount_requested, quote.currency), to=())
    payment_requests.create(quote, new_request=wanted, by=caller.actor, now=caller.now)
    return fresh(caller, quote_id)


@call(
    router,
    "POST",
    "/{quote_id}/invoice",
    permission=Permission.INVOICE_QUOTES,
    returns=Invoice,
)
def make_invoice(request: KeyRequest, quote_id: Id, body: Body[VersionedQuote] = NO_VERSION) -> Invoice:
    """Makes a draft invoice of an accepted quote, once; its deposit is on it when it is sent."""
    caller = request.caller
    made = quotes.create_invoice(
        get_quote(caller, quote_id),
        expected_version=body.version,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, made.pk)
