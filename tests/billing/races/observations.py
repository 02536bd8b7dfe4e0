"""The observations after a race, by the names that the tables use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.errors import BillingError, NotPayable
from partway.billing.models import Callback, Dispute, Event, Invoice, Payout, PayoutItem, Quote, Refund
from partway.billing.payments.start import check_payable
from partway.billing.receivables import credit
from partway.billing.reconciliation import due_work, payout_list
from partway.delivery.mail import sending
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.races.scenarios import RaceScenario
from tests.support.gateway_driver import PaymentTarget


def result_cell(result: Any) -> str:
    """Returns the state of an act's row, or the code of its error; `no` before the reason of an unpayable link."""
    if isinstance(result, NotPayable):
        return f"no: {result.reason}"
    if isinstance(result, BillingError):
        return result.code
    return str(getattr(result, "status", result))


def run_worker_to_completion() -> None:
    """Runs the worker long after the race, so that every payment is settled."""
    later = present() + CHECKOUT_LIFETIME
    while (
        due_work.refresh_unsettled_payments(now=later)
        or due_work.process_pending_callbacks(now=later)
        or due_work.refresh_pending_refunds(now=later)
    ):
        pass


def requests(scenario: RaceScenario) -> str:
    """Returns the states of the invoice's requests, oldest first, with the reasons of cancellations."""
    made = scenario.invoice.payment_requests.order_by("created_at")
    return ", ".join(": ".join(filter(None, [one.status, one.cancel_reason])) for one in made) or "none"


def recipients(scenario: RaceScenario) -> str:
    """Returns whether the link goes to the customer or elsewhere."""
    (address,) = type(scenario.open_request).objects.get(pk=scenario.open_request.pk).to
    return "customer" if address == scenario.dana.email else "elsewhere"


def invoice(scenario: RaceScenario) -> str:
    """Returns the state of the invoice and its amount due."""
    return _status_and_due(scenario.invoice)


def _status_and_due(stale: Invoice) -> str:
    fresh = Invoice.objects.get(pk=stale.pk)
    return f"{fresh.status}, {_plain(fresh.amount_due_minor)} due"


def quote(scenario: RaceScenario) -> str:
    return Quote.objects.get(pk=scenario.quote.pk).status


def all_payments(scenario: RaceScenario) -> str:
    """Returns the states of the document's payments, oldest first."""
    return ", ".join(one.status for one in scenario.document.payments.order_by("created_at")) or "none"


def unwanted(scenario: RaceScenario) -> str:
    """Returns the states of the document's payments that it did not accept, oldest first."""
    refused = scenario.document.payments.filter(accepted=False).order_by("created_at")
    return ", ".join(one.status for one in refused) or "none"


def charged(scenario: RaceScenario) -> str:
    """Returns the charges of the customer in the sandbox's ledger, in the order of the payments."""
    ledger = scenario.gateway_driver.ledger()
    mine = scenario.document.payments.order_by("created_at").values_list("pk", flat=True)
    lines = [ledger[pk] for pk in mine if pk in ledger]
    charges = [_plain(line["captured"]) for line in lines for _ in range(line["captures"])]
    return " and ".join(charges) or "nothing"


def request_link(scenario: RaceScenario) -> str:
    return _payability(scenario.open_request)


def invoice_link(scenario: RaceScenario) -> str:
    return _payability(scenario.invoice)


def _payability(source: PaymentTarget) -> str:
    try:
        check_payable(type(source).objects.get(pk=source.pk), now=present())
    except NotPayable as refusal:
        return refusal.reason
    return "payable"


def mailed(scenario: RaceScenario) -> str:
    """Returns the states of the mails with the request's link."""
    sending.send_due(now=present(), limit=100)
    sent = scenario.open_request.mails.filter(kind="payment_request").order_by("created_at")
    return ", ".join(mail.status for mail in sent)


def history(scenario: RaceScenario) -> str:
    """Returns the events of the request in their order."""
    return _event_types(Event.objects.filter(payment_request=scenario.open_request, payment=None))


def quote_history(scenario: RaceScenario) -> str:
    """Returns the events of the quote in their order."""
    return _event_types(Event.objects.filter(quote=scenario.quote, payment=None))


def _event_types(about: QuerySet[Event]) -> str:
    types = about.order_by("created_at", "id").values_list("type", flat=True)
    return ", ".join(name.partition(".")[2] for name in types)


def invoices_made(scenario: RaceScenario) -> str:
    """Returns the number of invoices made of the quote."""
    return str(Invoice.objects.filter(quote=scenario.quote).count())


def success(scenario: RaceScenario) -> str:
    """Returns how often a payment of the document was booked."""
    booked = Event.objects.filter(payment__in=scenario.document.payments.all(), type="payment.succeeded")
    return {0: "never", 1: "once"}.get(booked.count(), "more than once")


def other_invoice(scenario: RaceScenario) -> str:
    return _status_and_due(scenario.other)


def credit_left(scenario: RaceScenario) -> str:
    """Returns the customer's credit."""
    return " and ".join(str(money.decimal) for money in credit.balances(scenario.dana)) or "none"


def refunds(scenario: RaceScenario) -> str:
    """Returns the refunds of the document's payments, by status, with what was lost."""
    rows = Refund.objects.filter(payment__in=scenario.document.payments.all()).order_by("status", "pk")
    lost = {row.pk: f", {_plain(row.lost_minor)} lost" if row.lost_minor else "" for row in rows}
    return " and ".join(f"{_plain(row.amount_minor)} {row.status}{lost[row.pk]}" for row in rows) or "none"


def disputes(scenario: RaceScenario) -> str:
    """Returns the disputes of the payment that the scene begins with, with what went beyond it."""
    rows = Dispute.objects.filter(payment=scenario.payment).order_by("pk")
    lost = {row.pk: f", {_plain(row.lost_minor)} lost" if row.lost_minor else "" for row in rows}
    return " and ".join(f"{_plain(row.amount_minor)} {row.status}{lost[row.pk]}" for row in rows) or "none"


def payouts(scenario: RaceScenario) -> str:
    """Returns the payouts after the worker, with their entries that are linked to our rows, and the callbacks left."""
    later = present() + timedelta(hours=2)
    payout_list.read_payouts(now=later)
    due_work.process_pending_callbacks(now=later)
    of_account = {"gateway_account": scenario.gateway_driver.account}
    rows = Payout.objects.filter(**of_account)
    linked = PayoutItem.objects.filter(payout__in=rows, payment=scenario.payment)
    linked_refunds = linked.filter(kind="refund", refund__isnull=False).count()
    texts = [f"{_plain(row.amount_minor)} {row.status}" for row in rows]
    pending = Callback.objects.filter(**of_account, status="pending").count()
    return f"{' and '.join(texts)}, {linked.count()} linked, {linked_refunds} refund, {pending} waiting"


def payout_history(scenario: RaceScenario) -> str:
    """Returns the events of the account's payouts in their order."""
    return _event_types(Event.objects.filter(payout__gateway_account=scenario.gateway_driver.account))


def sent_back(scenario: RaceScenario) -> str:
    """Returns what the sandbox has sent back of the document's payments."""
    ledger, mine = scenario.gateway_driver.ledger(), scenario.document.payments.values_list("pk", flat=True)
    return _plain(sum(ledger[pk]["refunded"] for pk in mine if pk in ledger))


def _plain(amount_minor: int) -> str:
    return str(Money(amount_minor, "USD").decimal)


OBSERVATIONS: dict[str, Callable[[RaceScenario], str]] = {
    "request": requests,
    "invoice": invoice,
    "other invoice": other_invoice,
    "credit": credit_left,
    "quote": quote,
    "payments": all_payments,
    "unwanted": unwanted,
    "charged": charged,
    "booked": success,
    "request link": request_link,
    "recipients": recipients,
    "invoice link": invoice_link,
    "mails": mailed,
    "history": history,
    "quote history": quote_history,
    "invoices made": invoices_made,
    "refunds": refunds,
    "disputes": disputes,
    "payouts": payouts,
    "payout history": payout_history,
    "sent back": sent_back,
}
