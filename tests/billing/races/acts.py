"""The acts of the race tables, by the names that the tables use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from partway.accounts.models import GatewayAccount
from partway.billing.checkouts.payability import EXPIRY_GRACE_PERIOD
from partway.billing.documents import invoices, quote_decisions, quotes, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan
from partway.billing.models import Callback, Invoice, Payment, PaymentRequest, Quote, Refund
from partway.billing.payments import refunds as gateway_refunds
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.refunds import NewRefund
from partway.billing.payments.start import check_payable
from partway.billing.people import organizations
from partway.billing.receivables import credit, offline_payments, refunds, settlements, write_offs
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.reconciliation import due_work, gateway_list, payout_list
from partway.billing.requests import payment_requests
from partway.delivery.mail import sending
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.billing.documents.test_change_sent_invoice import draft as rewritten
from tests.billing.races.scenarios import RaceScenario
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.sandbox_server import ReceivedCallback

MOMENT = timedelta(seconds=1)


# The customer


def pay(scenario: RaceScenario) -> Payment:
    """Pays the request from the Pay button to the booking."""
    return scenario.gateway_driver.start_and_pay(scenario.open_request)


def pay_all(scenario: RaceScenario) -> Payment:
    """Pays the whole amount due by Pay Now, as the page showed it before the race."""
    return scenario.gateway_driver.start_and_pay(scenario.invoice)


def pay_deposit(scenario: RaceScenario) -> Payment:
    return scenario.gateway_driver.start_and_pay(scenario.quote)


def return_from_checkout(scenario: RaceScenario) -> Payment:
    """Returns from the checkout to our page, which refreshes the payment."""
    return refresh_payment(scenario.payment, now=present())


def pay_at_checkout(scenario: RaceScenario) -> Payment:
    """Pays at the open checkout with a good card, and returns."""
    scenario.gateway_driver.pay(scenario.payment)
    return return_from_checkout(scenario)


def start_at_expiry(scenario: RaceScenario) -> Payment:
    """Presses Pay at the moment at which the request expires."""
    return scenario.gateway_driver.start(scenario.open_request, now=scenario.open_request.expires_at)


def open_invoice_page(scenario: RaceScenario) -> str:
    check_payable(scenario.invoice, now=present())
    invoices.mark_opened(scenario.invoice, now=present())
    return "opened"


def accept(scenario: RaceScenario) -> Quote:
    return quotes.accept(
        scenario.quote, evidence=quotes.AcceptanceEvidence("Dana", None), by=scenario.customer, now=present()
    )


def decline(scenario: RaceScenario) -> Quote:
    return quotes.decline(scenario.quote, reason="", by=scenario.customer, now=present())


# The gateway


def callback(scenario: RaceScenario) -> Callback:
    """Delivers the first callback about the payment."""
    return _receive(scenario, scenario.gateway_driver.callback(scenario.payment, scenario.first_callback))


def early_callback(scenario: RaceScenario) -> Callback | str:
    """Pays in another tab, so that the callback arrives before the checkout's ref is stored."""
    started = scenario.invoice.payments.first()
    line = scenario.gateway_driver.ledger().get(started.pk) if started else None
    if line is None:
        return "nothing to pay yet"
    started.checkout_ref = line["id"]
    started.checkout_url = scenario.gateway_driver.page(line["id"])
    scenario.gateway_driver.pay(started)
    return _receive(scenario, scenario.gateway_driver.callback(started, "authorized"))


def payout_callback(scenario: RaceScenario) -> Callback:
    """Delivers the callback that the payout has arrived; the list has the truth."""
    return _receive(scenario, scenario.gateway_driver.callback(scenario.payout_ref, "payout.paid"))


def _receive(scenario: RaceScenario, received: ReceivedCallback) -> Callback:
    stored = receive_callback(
        scenario.gateway_driver.account, body=received.body, headers=received.headers, now=present()
    )
    stored.refresh_from_db()
    return stored


# The members


def request(scenario: RaceScenario) -> PaymentRequest:
    return personas.request_payment(scenario.invoice, 30_000)


def request_other(scenario: RaceScenario) -> PaymentRequest:
    return personas.request_payment(scenario.invoice, 40_000)


def same_form(scenario: RaceScenario) -> PaymentRequest:
    """Submits the form of one dialog, with the same idempotency key each time."""
    ask = payment_requests.NewPaymentRequest(
        Money(30_000, "USD"), to=(scenario.dana.email,), idempotency_key=f"form-{scenario.invoice.pk}"
    )
    return payment_requests.create(scenario.invoice, new_request=ask, by=scenario.alice, now=present())


def resend(scenario: RaceScenario) -> str:
    payment_requests.resend(scenario.open_request, by=scenario.alice, now=present())
    return "resent"


def resend_elsewhere(scenario: RaceScenario) -> str:
    """Mails the link to another address from now on."""
    elsewhere = payment_requests.LinkRecipients(("books@customer.example",))
    payment_requests.resend(scenario.open_request, recipients=elsewhere, by=scenario.alice, now=present())
    return "resent"


def cancel(scenario: RaceScenario) -> PaymentRequest:
    return payment_requests.cancel(scenario.open_request, by=scenario.alice, now=present())


def void(scenario: RaceScenario) -> Any:
    return invoices.void(scenario.invoice, by=scenario.alice, now=present())


def void_paid(scenario: RaceScenario) -> str:
    return _voided(scenario, None)


def void_paid_once(scenario: RaceScenario) -> str:
    """The form of one page; each time it is the same one."""
    return _voided(scenario, f"void-{scenario.invoice.pk}")


def _voided(scenario: RaceScenario, key: str | None) -> str:
    """Voids the invoice, and sends the $300.00 back that its page showed before the race."""
    first = scenario.invoice.payments.earliest("created_at")
    plan = VoidPlan({first.pk: 30_000}, {first.pk: Outcome("gateway")}, "canceled", idempotency_key=key)
    version = scenario.invoice.version
    voiding.void_paid(scenario.invoice, plan=plan, expected_version=version, by=scenario.alice, now=present())
    return "voided"


def send(scenario: RaceScenario) -> Any:
    return invoices.send(scenario.invoice, by=scenario.alice, now=present())


def send_quote(scenario: RaceScenario) -> Quote:
    return quotes.send(scenario.quote, by=scenario.alice, now=present())


def write_off(scenario: RaceScenario) -> Any:
    return write_offs.write_off(scenario.invoice, by=scenario.alice, now=present())


def edit_down(scenario: RaceScenario) -> Any:
    """Edits the invoice to $250.00, which is less than the request is for."""
    return _edited(scenario, 25_000)


def edit_up(scenario: RaceScenario) -> Any:
    return _edited(scenario, 120_000)


def _edited(scenario: RaceScenario, total_minor: int) -> Invoice:
    held = scenario.invoice
    draft = rewritten(held, total_minor)
    return invoices.edit(held, draft=draft, expected_version=held.version, by=scenario.alice, now=present())


def record_800(scenario: RaceScenario) -> Payment:
    """Records a check after which the request of $300.00 no longer fits the amount due."""
    return record(scenario.invoice, 80_000, scenario.alice)


def record_500(scenario: RaceScenario) -> Payment:
    """Records a check after which the request of $300.00 still fits the amount due."""
    return record(scenario.invoice, 50_000, scenario.alice)


def record_once(scenario: RaceScenario) -> Payment:
    """Submits the form of one dialog, with the same idempotency key each time."""
    return record(scenario.invoice, 40_000, scenario.alice, idempotency_key=f"record-{scenario.invoice.pk}")


def reverse(scenario: RaceScenario) -> Payment:
    return offline_payments.reverse(scenario.payment, reason="It bounced.", by=scenario.alice, now=present())


def apply_credit(scenario: RaceScenario) -> str:
    return _applied(scenario, scenario.invoice, f"apply-{scenario.invoice.pk}")


def apply_to_other(scenario: RaceScenario) -> str:
    return _applied(scenario, scenario.other)


def _applied(scenario: RaceScenario, invoice: Invoice, idempotency_key: str | None = None) -> str:
    """Applies all credit; the request of $300.00 then no longer fits the amount due of its invoice."""
    amount = Money(80_000, "USD")
    credit.apply(invoice, amount=amount, by=scenario.alice, now=present(), idempotency_key=idempotency_key)
    return "applied"


def release(scenario: RaceScenario) -> str:
    credit.deallocate(scenario.invoice, scenario.payment, by=scenario.alice, now=present())
    return "released"


def settle(scenario: RaceScenario) -> str:
    return _settled(scenario, None)


def settle_once(scenario: RaceScenario) -> str:
    """The form of one dialog; each time it is the same one."""
    return _settled(scenario, f"settle-{scenario.invoice.pk}")


def _settled(scenario: RaceScenario, key: str | None) -> str:
    """All that is due, as goodwill."""
    settlement = Settlement("goodwill", is_large_confirmed=True, idempotency_key=key)
    settlements.settle(scenario.invoice, settlement=settlement, by=scenario.alice, now=present())
    return "settled"


def give_back(scenario: RaceScenario) -> str:
    return _given_back(scenario, None)


def give_back_once(scenario: RaceScenario) -> str:
    """The form of one dialog; each time it is the same one."""
    return _given_back(scenario, f"refund-{scenario.payment.pk}")


def _given_back(scenario: RaceScenario, key: str | None) -> str:
    """$500.00 of the customer's credit, in cash."""
    on = today(present(), scenario.organization.time_zone)
    refund = OutsideRefund(Money(50_000, "USD"), "Cash", on, idempotency_key=key)
    refunds.record(scenario.dana, refund=refund, by=scenario.alice, now=present())
    return "given back"


def give_back_check(scenario: RaceScenario) -> str:
    """$300.00 of the payment that the scene begins with, wherever it stands."""
    on = today(present(), scenario.organization.time_zone)
    refund = OutsideRefund(Money(30_000, "USD"), "Cash", on)
    refunds.record(scenario.dana, refund=refund, payment=scenario.payment, by=scenario.alice, now=present())
    return "given back"


def refund(scenario: RaceScenario) -> Refund:
    return _refunded(scenario, None)


def refund_once(scenario: RaceScenario) -> Refund:
    """The form of one dialog; each time it is the same one."""
    return _refunded(scenario, f"refund-{scenario.invoice.pk}")


def _refunded(scenario: RaceScenario, key: str | None) -> Refund:
    """$200.00 of the invoice's first payment, through the gateway."""
    first = scenario.invoice.payments.earliest("created_at")
    new = NewRefund(Money(20_000, "USD"), "complaint", idempotency_key=key)
    return gateway_refunds.refund(first, new_refund=new, by=scenario.alice, now=present())


def refund_callback(scenario: RaceScenario) -> Callback | str:
    """Delivers the callback about a refund of the first payment, if the gateway has made one."""
    first = scenario.invoice.payments.earliest("created_at")
    if not scenario.gateway_driver.refunded_minor(first):
        return "nothing to report"
    return _receive(scenario, scenario.gateway_driver.callback(first, "refunded"))


def disable_payments(scenario: RaceScenario) -> str:
    organizations.set_payments_enabled(scenario.organization, on=False, by=scenario.alice, now=present())
    return "off"


def withdraw(scenario: RaceScenario) -> Quote:
    """Withdraws the quote, as its page showed it before the race."""
    shown = scenario.quote.status
    return quote_decisions.withdraw(scenario.quote, expected_status=shown, by=scenario.alice, now=present())


def record_acceptance(scenario: RaceScenario) -> Quote:
    spoken = quote_decisions.SpokenDecision("Dana", today(present(), scenario.organization.time_zone))
    return quote_decisions.record_acceptance(
        scenario.quote, decision=spoken, by=scenario.alice, now=present()
    )


def create_invoice(scenario: RaceScenario) -> Any:
    return quotes.create_invoice(scenario.quote, by=scenario.alice, now=present())


def record_deposit(scenario: RaceScenario) -> Payment:
    return personas.record_deposit_check(scenario.quote)


# The worker


def expire(scenario: RaceScenario) -> str:
    """Expires the request after the grace period of a checkout that began in time."""
    return _expired(scenario, EXPIRY_GRACE_PERIOD)


def expire_in_grace(scenario: RaceScenario) -> str:
    return _expired(scenario, EXPIRY_GRACE_PERIOD - MOMENT)


def _expired(scenario: RaceScenario, wait: timedelta) -> str:
    ended = payment_requests.expire(scenario.open_request, now=scenario.open_request.expires_at + wait)
    return "expired" if ended else "not expired"


def expire_quote(scenario: RaceScenario) -> str:
    """Expires the quote on the day after its last valid day."""
    days = scenario.quote.valid_until - today(present(), scenario.quote.organization.time_zone)
    ended = quotes.expire(scenario.quote, now=present() + days + timedelta(days=1))
    return "expired" if ended else "not expired"


def send_refunds(scenario: RaceScenario) -> str:
    """Books the payment, then sends what its booking has begun to send back."""
    refresh_payment(scenario.payment, now=present())
    due_work.refresh_pending_refunds(now=present() + MOMENT)
    return "sent"


def read_payouts(scenario: RaceScenario) -> str:
    """Reads the list of payouts, as a worker does that finds it due."""
    account = GatewayAccount.objects.filter(pk=scenario.gateway_driver.account.pk)
    account.update(payouts_due_at=present())
    return f"{payout_list.read_payouts(now=present())} new"


def read_checkouts(scenario: RaceScenario) -> str:
    """Reads the list of checkouts, as a worker does that finds it due."""
    account = GatewayAccount.objects.filter(pk=scenario.gateway_driver.account.pk)
    account.update(reconcile_at=present())
    gateway_list.reconcile_gateway_lists(now=present())
    return "read"


def mail(scenario: RaceScenario) -> str:
    sending.send_due(now=present())
    return "mailed"


ACTS: dict[str, Callable[[RaceScenario], Any]] = {
    "pay": pay,
    "pay all": pay_all,
    "pay deposit": pay_deposit,
    "return": return_from_checkout,
    "pay at checkout": pay_at_checkout,
    "start at expiry": start_at_expiry,
    "open invoice page": open_invoice_page,
    "accept": accept,
    "decline": decline,
    "callback": callback,
    "early callback": early_callback,
    "payout callback": payout_callback,
    "request": request,
    "request other": request_other,
    "same form": same_form,
    "resend": resend,
    "resend elsewhere": resend_elsewhere,
    "cancel": cancel,
    "void": void,
    "void paid": void_paid,
    "void paid once": void_paid_once,
    "send": send,
    "send quote": send_quote,
    "write off": write_off,
    "edit down": edit_down,
    "edit up": edit_up,
    "record 800": record_800,
    "record 500": record_500,
    "record once": record_once,
    "reverse": reverse,
    "apply credit": apply_credit,
    "apply to other": apply_to_other,
    "release": release,
    "settle": settle,
    "settle once": settle_once,
    "give back": give_back,
    "give back once": give_back_once,
    "give back check": give_back_check,
    "refund": refund,
    "refund once": refund_once,
    "refund callback": refund_callback,
    "disable payments": disable_payments,
    "withdraw": withdraw,
    "record acceptance": record_acceptance,
    "make invoice": create_invoice,
    "record deposit": record_deposit,
    "expire": expire,
    "expire in grace": expire_in_grace,
    "expire quote": expire_quote,
    "send refunds": send_refunds,
    "read payouts": read_payouts,
    "read checkouts": read_checkouts,
    "mail": mail,
}
