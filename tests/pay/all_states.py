"""Creates every row that has a link, in every state, without a gateway call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from partway.accounts.models import Organization
from partway.billing import links, parties
from partway.billing.documents import invoices, quotes
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.models.payment_requests import CancelReason, PaymentRequestStatus
from partway.billing.models.payments import RECEIVED_STATUSES, PaymentStatus
from partway.billing.receivables import write_offs
from partway.lib.clock import now
from partway.lib.links import make_token
from tests.support import personas

LONG_AGO = timedelta(days=30)


def tokens(organization: Organization) -> dict[str, list[str]]:
    """Returns tokens by URL prefix: those of every row, and some of no row."""
    dana = personas.customer(organization)
    urls = [
        *map(links.request_url, _requests(dana)),
        *map(links.invoice_url, _invoices(dana)),
        *map(links.quote_url, _quotes(dana)),
        *map(links.receipt_url, _payments(dana)),
        links.statement_url(personas.send_statement(dana)),
    ]
    # Last, because it is another organization, in which nothing can be paid.
    urls += map(links.request_url, _with_payments_disabled())
    by_door: dict[str, list[str]] = {}
    for url in urls:
        _, door, token, _ = urlsplit(url).path.split("/")
        by_door.setdefault(door, []).append(token)
    return {door: [*genuine, *_invalid_tokens(genuine[0])] for door, genuine in by_door.items()}


def _invalid_tokens(genuine: str) -> list[str]:
    forged = make_token("preq_" + "0" * 26, "another key, of another installation")
    return [
        genuine[:-1],
        genuine.upper(),
        genuine.partition("-")[0],
        forged,
        "unknown",
        "%00",
        "%ff",
        "z" * 2000,
    ]


def _requests(dana: Customer) -> Iterator[PaymentRequest]:
    for status in PaymentRequestStatus.values:
        yield _ended(personas.request_payment(personas.sent_invoice(dana)), status)
    for reason in CancelReason.values:
        yield _ended(personas.request_payment(personas.sent_invoice(dana)), "canceled", reason)
    yield (overdue := personas.request_payment(personas.sent_invoice(dana)))
    PaymentRequest.objects.filter(pk=overdue.pk).update(expires_at=now() - LONG_AGO)
    for status in ("pending", "capturing", "processing"):
        yield (open_request := personas.request_payment(personas.sent_invoice(dana)))
        _payment(open_request.invoice, status, payment_request=open_request)


def _ended(request: PaymentRequest, status: str, reason: str = "") -> PaymentRequest:
    ended_at = None if status == "open" else now()
    reason = reason or ("by_member" if status == "canceled" else "")
    columns = {"status": status, "cancel_reason": reason, "ended_at": ended_at}
    PaymentRequest.objects.filter(pk=request.pk).update(**columns)
    return request


def _invoices(dana: Customer) -> Iterator[Invoice]:
    by = personas.owner_actor(dana.organization)
    yield from (
        personas.draft_invoice(dana),
        personas.sent_invoice(dana),
        personas.sent_invoice(dana, due_in=-5),
    )
    yield (partly := personas.sent_invoice(dana))
    personas.captured_payment(partly, 30_000)
    yield (paid := personas.sent_invoice(dana))
    personas.captured_payment(paid, 100_000)
    Invoice.objects.filter(pk=paid.pk).update(status="paid")
    yield invoices.void(personas.sent_invoice(dana), by=by, now=now())
    yield write_offs.write_off(personas.sent_invoice(dana), by=by, now=now())
    for status in ("pending", "capturing", "processing"):
        yield (being_paid := personas.sent_invoice(dana))
        _payment(being_paid, status)


def _quotes(dana: Customer) -> Iterator[Quote]:
    by = personas.owner_actor(dana.organization)
    yield from (personas.draft_quote(dana), personas.sent_quote(dana), personas.sent_quote(dana, percent="0"))
    yield (past_valid_until := personas.sent_quote(dana))
    Quote.objects.filter(pk=past_valid_until.pk).update(valid_until=(now() - LONG_AGO).date())
    for status in ("declined", "expired", "withdrawn"):
        yield (over := personas.sent_quote(dana))
        Quote.objects.filter(pk=over.pk).update(status=status)
    yield personas.accept_quote(personas.sent_quote(dana))
    yield (paid := personas.accept_quote(personas.sent_quote(dana)))
    personas.record_deposit_check(paid)
    yield (invoiced := personas.accept_quote(personas.sent_quote(dana)))
    quotes.create_invoice(invoiced, by=by, now=now())
    for status in ("pending", "capturing", "processing"):
        yield (being_paid := personas.accept_quote(personas.sent_quote(dana)))
        _payment(being_paid, status)


def _payments(dana: Customer) -> Iterator[Payment]:
    for status in set(PaymentStatus.values) - {"reversed"}:  # a state of offline payments only
        yield _payment(personas.sent_invoice(dana), status)
        yield _payment(personas.accept_quote(personas.sent_quote(dana)), status)
    yield personas.record_check(personas.sent_invoice(dana), 30_000)
    yield personas.reverse_check(personas.record_check(personas.sent_invoice(dana), 30_000))
    yield personas.reverse_check(
        personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    )
    yield _payment(personas.sent_invoice(dana), "processing", accepted=False)
    yield _payment(personas.sent_invoice(dana), "succeeded", captured_currency="CAD")
    yield personas.captured_payment(personas.sent_invoice(dana), 30_000)
    yield personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))


def _payment(document: Invoice | Quote, status: str, **columns: object) -> Payment:
    at = now()
    of = {"quote": document} if isinstance(document, Quote) else {"invoice": document}
    taken = {"captured_minor": 30_000, "captured_currency": "USD", "settled_at": at}
    taken |= parties.freeze(document.organization, document.customer)
    account, ref = document.organization.gateway_accounts.get(), f"co_{document.pk}"
    known = {"gateway_account": account, "checkout_ref": ref, "accepted": status == "processing" or None}
    wanted = {**known, **(taken if status in RECEIVED_STATUSES else {}), **columns}
    open_request = {"amount_minor": 30_000, "currency": "USD", "created_at": at, "next_refresh_at": at}
    return Payment.objects.create(
        organization=document.organization, status=status, **of, **open_request, **wanted
    )


def _with_payments_disabled() -> Iterator[PaymentRequest]:
    birch = personas.mallory().organization
    yield personas.request_payment(personas.sent_invoice(personas.customer(birch)))
    Organization.objects.filter(pk=birch.pk).update(payments_enabled=False)
