"""What is left after a race, by the names that the tables call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.errors import BillingError, NotPayable
from partway.billing.models import Event, Invoice, Quote
from partway.billing.payments.start import check_payable
from partway.billing.receivables import credit
from partway.billing.reconciliation import due_work
from partway.delivery.mail import sending
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.races.scenarios import RaceScenario
from tests.support.gateway_driver import PaymentTarget


def result_cell(answer: Any) -> str:
    """What an act answered: the state of its row, or the code of the refusal; `no` before why a link is not payable."""
    if isinstance(answer, NotPayable):
        return f"no: {answer.reason}"
    if isinstance(answer, BillingError):
        return answer.code
    return str(getattr(answer, "status", answer))


def run_worker_to_completion() -> None:
    """The worker, long after: all that can be known is known."""
    later = present() + CHECKOUT_LIFETIME
    while due_work.refresh_unsettled_payments(now=later) or due_work.process_pending_callbacks(now=later):
        pass


def requests(scenario: RaceScenario) -> str:
    """The states of the invoice's requests, oldest first, and why they were canceled."""
    made = scenario.invoice.payment_requests.order_by("created_at")
    return ", ".join(": ".join(filter(None, [one.status, one.cancel_reason])) for one in made) or "none"


def invoice(scenario: RaceScenario) -> str:
    """Its state, and what is still due on it."""
    return _shown(scenario.invoice)


def _shown(stale: Invoice) -> str:
    fresh = Invoice.objects.get(pk=stale.pk)
    return f"{fresh.status}, {_plain(fresh.amount_due_minor)} due"


def quote(scenario: RaceScenario) -> str:
    return Quote.objects.get(pk=scenario.quote.pk).status


def all_payments(scenario: RaceScenario) -> str:
    """The states of the document's payments, oldest first."""
    return ", ".join(one.status for one in scenario.document.payments.order_by("created_at")) or "none"


def charged(scenario: RaceScenario) -> str:
    """What the customer was charged, as the company's ledger has it."""
    ledger, mine = scenario.gateway_driver.ledger(), scenario.document.payments.values_list("pk", flat=True)
    lines = [ledger[pk] for pk in mine if pk in ledger]
    charges = [_plain(line["captured"]) for line in lines for _ in range(line["captures"])]
    return " and ".join(charges) or "nothing"


def request_link(scenario: RaceScenario) -> str:
    return _says(scenario.asked)


def invoice_link(scenario: RaceScenario) -> str:
    return _says(scenario.invoice)


def _says(source: PaymentTarget) -> str:
    try:
        check_payable(type(source).objects.get(pk=source.pk), now=present())
    except NotPayable as refusal:
        return refusal.reason
    return "payable"


def mailed(scenario: RaceScenario) -> str:
    """What became of the mails with the request's link."""
    sending.send_due(now=present(), limit=100)
    sent = scenario.asked.mails.filter(kind="payment_request").order_by("created_at")
    return ", ".join(mail.status for mail in sent)


def history(scenario: RaceScenario) -> str:
    """The events of the request, in their order."""
    return _told_by(Event.objects.filter(payment_request=scenario.asked, payment=None))


def quote_history(scenario: RaceScenario) -> str:
    """The events of the quote, in their order."""
    return _told_by(Event.objects.filter(quote=scenario.quote, payment=None))


def _told_by(about: QuerySet[Event]) -> str:
    types = about.order_by("created_at", "id").values_list("type", flat=True)
    return ", ".join(name.partition(".")[2] for name in types)


def invoices_made(scenario: RaceScenario) -> str:
    """How many were made of the quote."""
    return str(Invoice.objects.filter(quote=scenario.quote).count())


def success(scenario: RaceScenario) -> str:
    """How often a payment of the document was booked."""
    booked = Event.objects.filter(payment__in=scenario.document.payments.all(), type="payment.succeeded")
    return {0: "never", 1: "once"}.get(booked.count(), "more than once")


def other_invoice(scenario: RaceScenario) -> str:
    return _shown(scenario.other)


def credit_left(scenario: RaceScenario) -> str:
    """What the customer has paid and what stands on no invoice."""
    return " and ".join(str(money.decimal) for money in credit.balances(scenario.dana)) or "none"


def _plain(amount_minor: int) -> str:
    return str(Money(amount_minor, "USD").decimal)


OBSERVATIONS: dict[str, Callable[[RaceScenario], str]] = {
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
