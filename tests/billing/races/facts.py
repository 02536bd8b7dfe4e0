"""What is left after a race, by the names that the tables call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from partway.billing.checkouts.payability import CHECKOUT_LIFE
from partway.billing.errors import BillingError, NotPayable
from partway.billing.models import Event, Invoice, Quote
from partway.billing.payments.start import check_payable
from partway.billing.receivables import credit
from partway.billing.reconciliation import due_work
from partway.delivery.mail import sending
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.races.scenes import Scene
from tests.billing.world import Source


def told(answer: Any) -> str:
    """What an act answered: the state of its row, or the code of the refusal; `no` before why a link is not payable."""
    if isinstance(answer, NotPayable):
        return f"no: {answer.reason}"
    if isinstance(answer, BillingError):
        return answer.code
    return str(getattr(answer, "status", answer))


def everything_known() -> None:
    """The worker, long after: all that can be known is known."""
    later = present() + CHECKOUT_LIFE
    while due_work.ask_about_unsettled(now=later) or due_work.work_off_callbacks(now=later):
        pass


def requests(scene: Scene) -> str:
    """The states of the invoice's requests, oldest first, and why they were canceled."""
    made = scene.invoice.payment_requests.order_by("created_at")
    return ", ".join(": ".join(filter(None, [one.status, one.cancel_reason])) for one in made) or "none"


def invoice(scene: Scene) -> str:
    """Its state, and what is still due on it."""
    return _shown(scene.invoice)


def _shown(stale: Invoice) -> str:
    fresh = Invoice.objects.get(pk=stale.pk)
    return f"{fresh.status}, {_plain(fresh.amount_due_minor)} due"


def quote(scene: Scene) -> str:
    return Quote.objects.get(pk=scene.quote.pk).status


def all_payments(scene: Scene) -> str:
    """The states of the document's payments, oldest first."""
    return ", ".join(one.status for one in scene.document.payments.order_by("created_at")) or "none"


def charged(scene: Scene) -> str:
    """What the customer was charged, as the company's ledger has it."""
    ledger, mine = scene.world.ledger(), scene.document.payments.values_list("pk", flat=True)
    lines = [ledger[pk] for pk in mine if pk in ledger]
    charges = [_plain(line["captured"]) for line in lines for _ in range(line["captures"])]
    return " and ".join(charges) or "nothing"


def request_link(scene: Scene) -> str:
    return _says(scene.asked)


def invoice_link(scene: Scene) -> str:
    return _says(scene.invoice)


def _says(source: Source) -> str:
    try:
        check_payable(type(source).objects.get(pk=source.pk), now=present())
    except NotPayable as refusal:
        return refusal.reason
    return "payable"


def mailed(scene: Scene) -> str:
    """What became of the mails with the request's link."""
    sending.send_due(now=present(), limit=100)
    sent = scene.asked.mails.filter(kind="payment_request").order_by("created_at")
    return ", ".join(mail.status for mail in sent)


def history(scene: Scene) -> str:
    """The events of the request, in their order."""
    return _told_by(Event.objects.filter(payment_request=scene.asked, payment=None))


def quote_history(scene: Scene) -> str:
    """The events of the quote, in their order."""
    return _told_by(Event.objects.filter(quote=scene.quote, payment=None))


def _told_by(about: QuerySet[Event]) -> str:
    types = about.order_by("created_at", "id").values_list("type", flat=True)
    return ", ".join(name.partition(".")[2] for name in types)


def invoices_made(scene: Scene) -> str:
    """How many were made of the quote."""
    return str(Invoice.objects.filter(quote=scene.quote).count())


def success(scene: Scene) -> str:
    """How often a payment of the document was booked."""
    booked = Event.objects.filter(payment__in=scene.document.payments.all(), type="payment.succeeded")
    return {0: "never", 1: "once"}.get(booked.count(), "more than once")


def other_invoice(scene: Scene) -> str:
    return _shown(scene.other)


def credit_left(scene: Scene) -> str:
    """What the customer has paid and what stands on no invoice."""
    return " and ".join(str(money.decimal) for money in credit.of(scene.dana)) or "none"


def _plain(amount_minor: int) -> str:
    return str(Money(amount_minor, "USD").decimal)


FACTS: dict[str, Callable[[Scene], str]] = {
    "request": requests,
    "invoice": invoice,
    "other invoice": other_invoice,
    "credit": credit_left,
    "quote": quote,
    "payments": all_payments,
    "charged": charged,
    "booked": success,
    "request link": request_link,
    "invoice link": invoice_link,
    "mails": mailed,
    "history": history,
    "quote history": quote_history,
    "invoices made": invoices_made,
}
