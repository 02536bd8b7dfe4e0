"""Bank debits are captured before Partway can decide, so they are accepted or rejected while they are processing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from partway.billing import alerts
from partway.billing.documents import deposits, invoices
from partway.billing.errors import PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Alert, Customer, Invoice, Mail, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.billing.receivables import write_offs
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.delivery.mail import kinds
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def refreshed(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def test_bank_debit_is_accepted_and_pays_request_when_settled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    assert (payment.status, payment.accepted, payment.method) == ("processing", True, "bank_debit")
    gateway_driver.settle_bank_debit(payment)
    assert refreshed(payment).status == "succeeded"
    open_request.refresh_from_db()
    assert (open_request.status, open_request.invoice.amount_due_minor) == ("paid", 70_000)


def test_failed_bank_debit_leaves_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "bad_debit")
    gateway_driver.settle_bank_debit(payment, "failed")
    payment = refreshed(payment)
    open_request.refresh_from_db()
    assert (payment.status, payment.failure_code, open_request.status) == (
        "failed",
        "bank_debit_failed",
        "open",
    )


def test_accepted_bank_debit_blocks_cancel_and_void(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        payment_requests.cancel(open_request, by=alice, now=present())
    with pytest.raises(PaymentInProgress):
        invoices.void(open_request.invoice, by=alice, now=present())


@pytest.fixture
def unaccepted_debit(gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor) -> Payment:
    """A debit that started at the same time as the cancellation of its request."""
    payment = gateway_driver.start(open_request)
    gateway_driver.inject_fault("close_too_late")
    payment_requests.cancel(open_request, by=alice, now=present())
    return refreshed(payment)


def test_bank_debit_of_canceled_request_is_not_accepted(
    unaccepted_debit: Payment, open_request: PaymentRequest
) -> None:
    open_request.refresh_from_db()
    statuses = (unaccepted_debit.status, unaccepted_debit.accepted, open_request.status)
    assert statuses == ("processing", False, "canceled")


def test_unaccepted_bank_debit_is_announced_when_it_begins(unaccepted_debit: Payment) -> None:
    assert Alert.objects.get(payment=unaccepted_debit).kind == "unwanted_debit"
    mails = Mail.objects.filter(event__type="payment.processing")
    assert {mail.kind: mail.to for mail in mails} == {
        "debit_not_needed": [unaccepted_debit.customer.email],
        "unwanted_debit": ["billing@alder.example"],
    }
    assert all(kinds.is_valid(mail, now=present()) for mail in mails)


@pytest.mark.parametrize("outcome", ["captured", "failed"])
def test_announcement_of_unaccepted_bank_debit_ends_with_it(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment, outcome: str
) -> None:
    assert alerts.auto_resolve_settled(now=present()) == 0
    gateway_driver.settle_bank_debit(unaccepted_debit, outcome)
    refreshed(unaccepted_debit)
    alerts.auto_resolve_settled(now=present())
    assert Alert.objects.get(kind="unwanted_debit").auto_resolution == "payment_settled"
    mails = Mail.objects.filter(event__type="payment.processing")
    assert [kinds.is_valid(mail, now=present()) for mail in mails] == [False, False]


def test_unaccepted_bank_debit_becomes_credit_and_raises_alert(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment
) -> None:
    gateway_driver.settle_bank_debit(unaccepted_debit)
    payment = refreshed(unaccepted_debit)
    assert (payment.status, payment.invoice.amount_paid_minor) == ("succeeded", 0)
    assert Alert.objects.filter(payment=payment, kind="unwanted_payment").exists()


# What an unaccepted debit must not stand in the way of.
ACTS: dict[str, Callable[[Invoice, Actor], object]] = {
    "void": lambda invoice, by: invoices.void(invoice, by=by, now=present()),
    "write off": lambda invoice, by: write_offs.write_off(invoice, by=by, now=present()),
    "edit down": lambda invoice, _by: personas.edit_invoice(invoice, 10_000),
    "record all": lambda invoice, by: record(invoice, 100_000, by),
    "request all": lambda invoice, _by: personas.request_payment(invoice, 100_000),
}


@pytest.mark.parametrize("act", ACTS)
def test_unaccepted_bank_debit_does_not_block_members(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment, alice: Actor, act: str
) -> None:
    ACTS[act](Invoice.objects.get(), alice)
    gateway_driver.settle_bank_debit(unaccepted_debit)
    payment = refreshed(unaccepted_debit)
    assert (payment.status, payment.accepted, payment.unallocated_minor) == ("succeeded", False, 30_000)


@pytest.mark.parametrize("outcome", ["captured", "failed"])
def test_customer_pays_otherwise_beside_unaccepted_bank_debit(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment, outcome: str
) -> None:
    other = gateway_driver.start_and_pay(Invoice.objects.get(), "two_days")
    assert (other.status, other.accepted) == ("processing", True)
    gateway_driver.settle_bank_debit(unaccepted_debit, outcome)
    refreshed(unaccepted_debit)
    gateway_driver.settle_bank_debit(other)
    assert refreshed(other).invoice.status == "paid"


def test_unaccepted_bank_debit_of_deposit_does_not_block_another_payment(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    payment = gateway_driver.start(quote)
    gateway_driver.pay(payment, "debit")
    organizations.set_payments_enabled(quote.organization, on=False, by=alice, now=present())
    unwanted = refreshed(payment)
    organizations.set_payments_enabled(quote.organization, on=True, by=alice, now=present())
    assert (unwanted.status, deposits.deposit_status(quote)) == ("processing", "due")
    assert gateway_driver.start_and_pay(Quote.objects.get()).is_deposit
    gateway_driver.settle_bank_debit(unwanted)
    assert not refreshed(unwanted).is_deposit


def test_unaccepted_bank_debit_does_not_keep_its_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    organizations.set_payments_enabled(open_request.organization, on=False, by=alice, now=present())
    assert refreshed(payment).is_unwanted
    assert payment_requests.cancel(open_request, by=alice, now=present()).status == "canceled"


def test_unaccepted_bank_debit_that_fails_leaves_nothing_to_give_back(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment
) -> None:
    gateway_driver.settle_bank_debit(unaccepted_debit, "failed")
    assert refreshed(unaccepted_debit).status == "failed"
    assert not Alert.objects.exclude(kind="unwanted_debit").exists()


# A debit that fails after days


@pytest.fixture
def failed_debit(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Payment:
    """A debit that its bank refused on the fourth day."""
    payment = gateway_driver.start_and_pay(open_request, "fails_on_day_four")
    gateway_driver.settle_bank_debit(payment, "")
    return refreshed(payment)


def test_failed_bank_debit_is_told_to_customer_and_member(failed_debit: Payment) -> None:
    mails = {mail.kind: mail for mail in Mail.objects.filter(event__type="payment.failed")}
    recipients = {kind: mail.to for kind, mail in mails.items()}
    assert recipients == {
        "payment_failed": [failed_debit.customer.email],
        "payment_failed_notice": ["billing@alder.example"],
    }
    content = kinds.KINDS["payment_failed"].content(mails["payment_failed"])
    assert content.context["is_payable"]
    assert content.context["payment"].failure_message.endswith("account has insufficient funds.")


@pytest.mark.every_gateway
def test_request_of_failed_bank_debit_can_be_paid_again(
    gateway_driver: GatewayDriver, failed_debit: Payment, open_request: PaymentRequest
) -> None:
    assert gateway_driver.start_and_pay(open_request).status == "succeeded"
    open_request.refresh_from_db()
    assert open_request.status == "paid"


def test_request_that_expired_while_bank_debit_was_processing_is_not_revived(
    gateway_driver: GatewayDriver, invoice: Invoice
) -> None:
    request = personas.request_payment(invoice, expires_at=present() + timedelta(hours=1))
    payment = gateway_driver.start_and_pay(request, "bad_debit")
    later = present() + timedelta(days=4)
    assert due_work.expire_payment_requests(now=later) == 0
    gateway_driver.settle_bank_debit(payment, "failed")
    refresh_payment(payment, now=later)
    assert due_work.expire_payment_requests(now=later) == 1
    mail = Mail.objects.get(kind="payment_failed")
    assert not kinds.KINDS["payment_failed"].content(mail).context["is_payable"]
    assert kinds.is_valid(mail, now=later)


def test_card_that_is_declined_at_the_checkout_sends_no_mail(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.close(payment.checkout_ref)
    assert refreshed(payment).status == "failed"
    assert not Mail.objects.filter(kind__startswith="payment_failed").exists()


# While a bank moves the money


def test_link_is_not_mailed_while_a_bank_debit_is_processing(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    queued = payment_requests.resend(open_request, by=alice, now=present())
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress) as refusal:
        payment_requests.resend(open_request, by=alice, now=present())
    assert refusal.value.reason == "resend"
    assert not kinds.is_valid(queued, now=present())
    gateway_driver.settle_bank_debit(payment, "failed")
    refreshed(payment)
    assert payment_requests.resend(open_request, by=alice, now=present()).kind == "payment_request"


SETTLES_BY = pytest.mark.sandbox_only("Stripe does not say when it expects the outcome of a debit")


@SETTLES_BY
def test_bank_debit_stores_when_its_outcome_is_expected(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "fails_on_day_four")
    assert payment.settles_by - present() > timedelta(days=3)
    gateway_driver.pass_days(payment, 2)
    assert payment.settles_by - refreshed(payment).settles_by == timedelta(days=2)


def overdue_alerts(payment: Payment, after: timedelta) -> list[str]:
    """Returns the reasons of the alerts that are open once the worker asked this long after the expected outcome."""
    Payment.objects.filter(pk=payment.pk).update(next_refresh_at=payment.created_at)
    due_work.refresh_unsettled_payments(now=payment.settles_by + after)
    return [alert.params.get("reason", "") for alert in Alert.objects.filter(kind="payment_unsettled")]


@SETTLES_BY
def test_bank_debit_without_outcome_in_time_raises_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "two_days")
    assert overdue_alerts(payment, timedelta(hours=23)) == []
    assert overdue_alerts(payment, timedelta(hours=25)) == ["processing"]


def test_bank_debit_settled_before_refresh_is_booked_at_once(
    gateway_driver: GatewayDriver, invoice: Invoice
) -> None:
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    assert refreshed(payment).status == "succeeded"
    invoice.refresh_from_db()
    assert invoice.status == "paid"
